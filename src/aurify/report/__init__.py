"""What a run did, as one page: read a run's folder (``source``), make data of it, make a page of the data."""
