"""`python -m deploy.grafana` writes the dashboards."""

from pathlib import Path

from deploy.grafana.build import BOARDS, rendered

FOLDER = Path(__file__).parent / "dashboards"

if __name__ == "__main__":
    FOLDER.mkdir(exist_ok=True)
    for board in BOARDS:
        (FOLDER / f"{board.uid}.json").write_text(rendered(board))
