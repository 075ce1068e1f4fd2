"""A program that somebody's model wrote, run against tests, by nobody's leave.

Two processes without network: the candidate runs the program and answers calls; the examiner runs the tests, in which
the program's functions are stubs that send their arguments over and get plain data back. So nothing that the program
does to its own process (exits, patched built-ins, objects that equal everything, forged output) reaches the verdict.
This room imports nothing of the others, so that a process starts in some tens of milliseconds.
"""
