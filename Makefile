.PHONY: run test check ci screenshots
run:
	streamlit run app.py
test:
	python -m pytest
check:
	ruff check . && ruff format --check . && mypy . && python -m knowledge check
ci:
	.ci/run
screenshots:
	python -m docs.screenshots
