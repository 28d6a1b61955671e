"""From boards to Grafana's JSON, with its own SDK."""

import json
from itertools import count
from typing import Any

from grafana_foundation_sdk.builders import common, dashboard, heatmap, prometheus, stat, timeseries
from grafana_foundation_sdk.cog.encoder import JSONEncoder
from grafana_foundation_sdk.models import common as common_models
from grafana_foundation_sdk.models import dashboard as models
from grafana_foundation_sdk.models.prometheus import PromQueryFormat

from deploy.grafana.board import Board, Panel, Query, Variable
from deploy.grafana.cost import COST
from deploy.grafana.daemon import DAEMON
from deploy.grafana.overview import OVERVIEW
from deploy.grafana.upstream import UPSTREAM

BOARDS = (OVERVIEW, COST, UPSTREAM, DAEMON)
TAG = "corpusmill"
SOURCE = common_models.DataSourceRef(type_val="prometheus", uid="${datasource}")
STAT_HEIGHT, HEIGHT = 4, 8


def rendered(board: Board) -> str:
    """Return a board's JSON, the same each time."""
    content: Any = json.loads(JSONEncoder().encode(_dashboard(board).build()))
    return json.dumps(content, indent=2, sort_keys=True) + "\n"


def _dashboard(board: Board) -> dashboard.Dashboard:
    built = (
        dashboard.Dashboard(board.title)
        .uid(board.uid)
        .description(board.description)
        .tags([TAG])
        .refresh("30s")
        .time("now-1h", "now")
        .timezone("browser")
        .tooltip(models.DashboardCursorSync.CROSSHAIR)
        .link(
            dashboard.DashboardLink("corpusmill")
            .type(models.DashboardLinkType.DASHBOARDS)
            .tags([TAG])
            .as_dropdown(False)
            .include_vars(True)
            .keep_time(True)
        )
        .with_variable(dashboard.DatasourceVariable("datasource").label("Data source").type("prometheus"))
    )
    for variable in board.variables:
        built = built.with_variable(_variable(variable))
    number = count(1)
    for row in board.rows:
        built = built.with_row(dashboard.Row(row.title).id(next(number)))
        for panel in row.panels:
            built = built.with_panel(_panel(panel).id(next(number)))
    return built


def _variable(variable: Variable) -> dashboard.QueryVariable:
    return (
        dashboard.QueryVariable(variable.name)
        .label(variable.name)
        .description(variable.description)
        .datasource(SOURCE)
        .query(f"label_values({variable.metric}, {variable.name})")
        .refresh(models.VariableRefresh.ON_TIME_RANGE_CHANGED)
        .sort(models.VariableSort.ALPHABETICAL_ASC)
        .multi(True)
        .include_all(True)
        .all_value(".*")
        .current(models.VariableOption(selected=True, text="All", value="$__all"))
    )


def _panel(panel: Panel) -> "stat.Panel | timeseries.Panel | heatmap.Panel":
    built: stat.Panel | timeseries.Panel | heatmap.Panel
    if panel.kind == "stat":
        built = stat.Panel().height(STAT_HEIGHT).reduce_options(common.ReduceDataOptions().calcs(["lastNotNull"]))
    elif panel.kind == "heatmap":
        built = heatmap.Panel().height(HEIGHT)
    else:
        built = _graph(stacked=panel.kind == "stacked")
    built = built.title(panel.title).description(panel.description).unit(panel.unit).span(panel.width)
    built = built.datasource(SOURCE).min(0) if panel.kind not in {"stat", "heatmap"} else built.datasource(SOURCE)
    for place, query in enumerate(panel.queries):
        built = built.with_target(_target(query, place, panel))
    return built


def _graph(*, stacked: bool) -> timeseries.Panel:
    graph = timeseries.Panel().height(HEIGHT).line_width(1).fill_opacity(25 if stacked else 5)
    graph = graph.show_points(common_models.VisibilityMode.NEVER)
    graph = graph.tooltip(
        common.VizTooltipOptions().mode(common_models.TooltipDisplayMode.MULTI).sort(common_models.SortOrder.DESCENDING)
    )
    if stacked:
        graph = graph.stacking(common.StackingConfig().mode(common_models.StackingMode.NORMAL))
    return graph


def _target(query: Query, place: int, panel: Panel) -> prometheus.Dataquery:
    target = prometheus.Dataquery().expr(query.expr).ref_id(chr(ord("A") + place))
    target = target.instant() if "$__range" in query.expr else target.range()
    if query.legend:
        target = target.legend_format(query.legend)
    if panel.kind == "heatmap":
        target = target.format(PromQueryFormat.HEATMAP)
    return target
