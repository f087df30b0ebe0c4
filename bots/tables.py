"""Grids through a client's own words: columns by the bots' names, rows by their key, pages read until the count is right."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass, field

from anchors.locate import locate
from anchors.model import GridSpec
from anchors.sighting import Found, explain
from bots.errors import DoubtfulError, NotSeenError
from bots.robot import READ_LEVEL, Robot
from recordings.actions import ReadGrid
from vision.change import same
from vision.findings import Cell, Grid
from vision.frame import Box, Frame
from vision.grid import GridError, read_grid
from vision.patterns import same_text

CHECK = "check"
"""Name of the column with a row's check box; it has no header."""

PAGES_LIMIT = 200
"""Pages read at most in one table: 10,000 rows at 50 a page."""


@dataclass(slots=True)
class Table:
    """Rows of a grid under the bots' column names."""

    rows: list[dict[str, str]]
    total: int | None = None
    """共N条, where the client says it."""
    grid: Grid | None = None
    """The last page as it was seen."""
    doubtful: list[str] = field(default_factory=list)
    """Readings that did not reach the level, for people."""

    @property
    def complete(self) -> bool:
        """Whether as many rows were read as the client says there are, each certain."""
        return self.total is not None and self.total == len(self.rows) and not self.doubtful


class Tables:
    """The robot's verbs for one grid of the client in front."""

    def __init__(self, robot: Robot, name: str) -> None:
        self.robot, self.name = robot, name
        self._seen: tuple[Frame, tuple[str, ...], Grid] | None = None

    @property
    def spec(self) -> GridSpec:
        return self.robot.library.grid(self.name)

    @property
    def title(self) -> str:
        return self.spec.title or self.name

    def region(self, frame: Frame) -> Box | None:
        """Where the grid lies: under an anchor, in an area of the screen, or anywhere. Raises NotSeenError."""
        spec = self.spec
        box = frame.box
        if spec.area is not None and spec.screen is not None:
            width, height = self.robot.library.screenshot(spec.screen).size
            fx, fy = frame.width / width, frame.height / height
            area = Box(*spec.area)
            box = Box(round(area.x * fx), round(area.y * fy), round(area.width * fx), round(area.height * fy))
        if spec.below is not None:
            top = self._place(frame, spec.below).bottom
            box = box.intersect(Box(0, top, frame.width, frame.height - top))
        if spec.above is not None:
            box = box.intersect(Box(0, 0, frame.width, self._place(frame, spec.above).y))
        return None if box == frame.box else box

    def _place(self, frame: Frame, name: str) -> Box:
        sighting = locate(frame, self.robot.anchor(name))
        if not isinstance(sighting, Found):
            raise NotSeenError(explain(sighting, self.robot.language), frame=frame, sighting=sighting)
        return sighting.box

    def look(self, frame: Frame, columns: Sequence[str] | None = None) -> Grid:
        """The grid on this frame; only the columns asked for are read. Raises NotSeenError when it is not there."""
        spec = self.spec
        asked = tuple(columns or spec.columns)
        if self._seen is not None and self._seen[1] == asked and same(self._seen[0], frame):
            return self._seen[2]  # an unchanged screen is not looked at twice
        names = [spec.columns[c] for c in asked]
        patterns = {spec.columns[c]: p for c, p in spec.patterns.items() if c in (columns or spec.columns)}
        region = self.region(frame)
        try:
            with self.robot.watch("grid"):
                grid = read_grid(frame, region, names, patterns=patterns)
        except GridError as error:
            raise NotSeenError(str(error), frame=frame) from error
        self._seen = (frame, asked, grid)
        return grid

    def read(self, columns: Sequence[str] | None = None, *, timeout: float = 30.0) -> Table:
        """The page of the grid that is shown, once it stands still. Raises NotSeenError."""
        robot = self.robot
        with robot.step(ReadGrid(grid=self.title, columns=tuple(columns or self.spec.columns)), self.title) as step:
            grid, frame = self._steady(columns, timeout)
            step.before, step.box = frame, grid.box
            step.clear = list(grid.header_boxes)
            return self._table(grid, columns)

    def _steady(self, columns: Sequence[str] | None, timeout: float) -> tuple[Grid, Frame]:
        """A look at the grid on a still frame; dialogs that lie over it are dismissed."""
        robot = self.robot
        clock = robot.desktop.clock
        started = clock.now()
        while True:
            frame = robot.wait_still()
            try:
                return self.look(frame, columns), frame
            except NotSeenError:
                if clock.now() - started > timeout:
                    raise
                before = clock.now()
                robot.dismiss_popups(frame)
                robot.watch.wait(clock.now() - before)

    def _table(self, grid: Grid, columns: Sequence[str] | None) -> Table:
        spec = self.spec
        rows, doubtful = [], []
        for number, _ in enumerate(grid.rows):
            row = {}
            for name in columns or spec.columns:
                cell = grid.cell(number, spec.columns[name])
                row[name] = cell.text
                if (name in spec.patterns and cell.text and not _certain(cell)) or (name in spec.patterns and not cell.text):
                    doubtful.append(f"第 {number + 1} 行「{spec.columns[name]}」读为「{cell.text}」")
            rows.append(row)
        return Table(rows, grid.pager.total if grid.pager else None, grid, doubtful)

    def read_all(self, key: str, columns: Sequence[str], *, timeout: float = 60.0) -> Table:
        """All pages, rows told apart by `key`, until 共N条 is reached. The result says whether it is complete."""
        table = self.read(columns, timeout=timeout)
        rows = {row[key]: row for row in table.rows}
        doubtful = list(table.doubtful)
        for _ in range(PAGES_LIMIT):
            grid = table.grid
            if table.total is None or len(rows) >= table.total or grid is None or grid.pager is None:
                break
            if grid.pager.next is None or grid.pager.next_enabled is False:
                break
            before = [row[key] for row in table.rows]
            self._turn(grid.pager.next)
            table = self._next_page(key, columns, before, timeout)
            for row in table.rows:
                rows.setdefault(row[key], row)
            doubtful += table.doubtful
        return Table(list(rows.values()), table.total, table.grid, doubtful)

    def _turn(self, arrow: Box) -> None:
        """Press the pager's next arrow; where it is was just seen on a still frame."""
        self.robot.click_where(self.robot.say("下一页", "next page"), lambda frame: (arrow, ()))

    def _next_page(self, key: str, columns: Sequence[str], before: Sequence[str], timeout: float) -> Table:
        clock = self.robot.desktop.clock
        deadline = clock.now() + timeout
        while True:
            table = self.read(columns, timeout=timeout)
            if [row[key] for row in table.rows] != list(before) and table.rows:
                return table
            if clock.now() > deadline:
                raise NotSeenError(
                    self.robot.say(
                        f"「{self.title}」翻页后内容没有变化。客户端可能没有响应；请查看截图。",
                        f"“{self.title}” did not change after turning the page. The client may hang; see the picture.",
                    ),
                    frame=self.robot.frame,
                )

    def is_checked(self, frame: Frame, key: str, value: str) -> bool:
        """Whether the row's check box is set. Raises NotSeenError when the row is not there."""
        cells = self._row(self.look(frame, [key]), key, value, frame)
        return any(cell.checked for cell in cells)

    def _row(self, grid: Grid, key: str, value: str, frame: Frame) -> Sequence[Cell]:
        """The one row whose key reads `value`. Raises NotSeenError and, when several rows have it, DoubtfulError."""
        column = grid.column(self.spec.columns[key])
        rows = [row for row in grid.rows if row[column].text == value]
        if len(rows) > 1:
            raise DoubtfulError(
                self.robot.say(
                    f"「{self.title}」中有 {len(rows)} 行都是 {value}。", f"{len(rows)} rows of “{self.title}” are {value}."
                ),
                frame=frame,
            )
        if not rows:
            raise NotSeenError(
                self.robot.say(f"「{self.title}」中没有 {value} 这一行。", f"“{self.title}” has no row {value}."), frame=frame
            )
        return rows[0]

    def finder(self, key: str, value: str, column: str, word: str | None = None) -> Callable[[Frame], tuple[Box, Sequence[Box]]]:
        """For `Robot.click_where`: the cell (or the word in it) under `column` in the row whose `key` reads `value`."""
        spec = self.spec

        def find(frame: Frame) -> tuple[Box, Sequence[Box]]:
            if column == CHECK:
                cells = self._row(self.look(frame, [key]), key, value, frame)
                return _check_box(cells, frame), [_proof(cells, value, frame)]
            grid = self.look(frame, [key, column])
            cells = self._row(grid, key, value, frame)
            return _word(cells[grid.column(spec.columns[column])], word, frame), [_proof(cells, value, frame)]

        return find


def _proof(cells: Sequence[Cell], value: str, frame: Frame) -> Box:
    """Where the row's key stands. Raises DoubtfulError when the row has another one."""
    for cell in cells:
        if cell.text == value:
            return cell.ink or cell.box
    raise DoubtfulError(f"该行没有 {value} / the row does not have {value}", frame=frame)


def _check_box(cells: Sequence[Cell], frame: Frame) -> Box:
    """The check box of a row."""
    boxes = [cell.ink for cell in cells if cell.checked is not None and cell.ink is not None]
    if len(boxes) != 1:
        raise DoubtfulError(f"该行应有一个勾选框，看到 {len(boxes)} 个 / one check box expected, {len(boxes)} seen", frame=frame)
    return boxes[0]


def _certain(cell: Cell) -> bool:
    return cell.reading is not None and cell.reading.certain(READ_LEVEL - 0.3)


def _word(cell: Cell, word: str | None, frame: Frame) -> Box:
    """The box of one word in a cell, by what it says. Raises DoubtfulError when it does not stand there exactly once."""
    if word is None:
        return cell.ink or cell.box
    hits = [w.box for w in cell.words if same_text(w.text, word)]
    if not hits and same_text(cell.text, word) and cell.ink is not None:
        hits = [cell.ink]
    if len(hits) != 1:
        words = "、".join(w.text for w in cell.words) or cell.text
        raise DoubtfulError(f"「{word}」应有一处，看到：{words} / “{word}” should stand there once; seen: {words}", frame=frame)
    return hits[0]
