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
    if panel.kind in {"stat", "name"}:
        built = _number(panel)
    elif panel.kind == "heatmap":
        built = _heatmap(panel)
    else:
        built = _graph(panel)
    built = built.title(panel.title).description(panel.description).span(panel.width).datasource(SOURCE)
    for place, query in enumerate(panel.queries):
        built = built.with_target(_target(query, place, panel))
    return built


def _number(panel: Panel) -> stat.Panel:
    mode = common_models.BigValueTextMode.NAME if panel.kind == "name" else common_models.BigValueTextMode.AUTO
    number = stat.Panel().height(STAT_HEIGHT).unit(panel.unit).text_mode(mode)
    return number.reduce_options(common.ReduceDataOptions().calcs(["lastNotNull"]))


def _heatmap(panel: Panel) -> heatmap.Panel:
    """The unit is that of the buckets, on the axis; a cell is how many a second fall into one."""
    axis, cells = heatmap.YAxisConfig().unit(panel.unit), heatmap.CellValues().unit("cps")
    return heatmap.Panel().height(HEIGHT).unit("cps").y_axis(axis).cell_values(cells)


def _graph(panel: Panel) -> timeseries.Panel:
    many = panel.kind == "stacked"
    graph = timeseries.Panel().height(HEIGHT).unit(panel.unit).line_width(1).fill_opacity(25 if many else 5)
    graph = graph.show_points(common_models.VisibilityMode.NEVER)
    tooltip = common.VizTooltipOptions().mode(common_models.TooltipDisplayMode.MULTI)
    graph = graph.tooltip(tooltip.sort(common_models.SortOrder.DESCENDING).hide_zeros(many))
    if not panel.negative:
        graph = graph.min(0)
    if panel.logarithmic:
        scale = common.ScaleDistributionConfig().type(common_models.ScaleDistribution.SYMLOG)
        graph = graph.scale_distribution(scale.log(10).linear_threshold(1))
    if many:
        graph = graph.stacking(common.StackingConfig().mode(common_models.StackingMode.NORMAL)).legend(_table())
    return graph


def _table() -> common.VizLegendOptions:
    """Of many series most are 0 most of the time: those that matter come first."""
    table = common.VizLegendOptions().show_legend(True).display_mode(common_models.LegendDisplayMode.TABLE)
    table = table.placement(common_models.LegendPlacement.BOTTOM)
    return table.calcs(["lastNotNull", "max"]).sort_by("Max").sort_desc(True)


def _target(query: Query, place: int, panel: Panel) -> prometheus.Dataquery:
    target = prometheus.Dataquery().expr(query.expr).ref_id(chr(ord("A") + place))
    target = target.instant() if "$__range" in query.expr else target.range()
    if query.legend:
        target = target.legend_format(query.legend)
    if panel.kind == "heatmap":
        target = target.format(PromQueryFormat.HEATMAP)
    return target
