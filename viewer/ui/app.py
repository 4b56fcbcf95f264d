"""Starting the window: application object, theme, log, the last net for defects."""

from __future__ import annotations

import logging
import signal
import sys
import threading
from collections.abc import Sequence
from pathlib import Path

from PySide6.QtCore import (
    QCoreApplication,
    QLibraryInfo,
    QLocale,
    QMessageLogContext,
    Qt,
    QTimer,
    QtMsgType,
    QTranslator,
    qInstallMessageHandler,
)
from PySide6.QtGui import QGuiApplication
from PySide6.QtWidgets import QApplication, QWidget

import resources
from resources import text
from resources.problem import Problem
from resources.text import translate
from viewer import logbook
from viewer.ui import scaling, theme
from viewer.ui.collecting import Collector
from viewer.ui.preferences import Preferences
from viewer.ui.settings import Settings
from viewer.ui.status import MessageBar

_SIGNAL_MS = 250
_TITLE_BAR_PX = 48


def start_log() -> None:
    """Log into the log folder, Qt's own words too."""
    logbook.open_log()
    qInstallMessageHandler(_log_qt)


def _log_qt(kind: QtMsgType, context: QMessageLogContext, message: str) -> None:
    levels = {
        QtMsgType.QtDebugMsg: logging.DEBUG,
        QtMsgType.QtInfoMsg: logging.INFO,
        QtMsgType.QtWarningMsg: logging.WARNING,
    }
    logging.getLogger("qt").log(levels.get(kind, logging.ERROR), "%s", message)


def make_app(arguments: Sequence[str] = ()) -> QApplication:
    """Return the application, made on first use, with theme and translation."""
    app = QApplication.instance()
    if not isinstance(app, QApplication):
        QGuiApplication.setHighDpiScaleFactorRoundingPolicy(
            Qt.HighDpiScaleFactorRoundingPolicy.PassThrough
        )
        QCoreApplication.setApplicationName("Overread")
        chosen = Preferences(Settings())
        scaling.take_up(chosen.choice("interface_size"))
        app = QApplication(["overread", *arguments])
        QGuiApplication.setDesktopFileName("overread")
        Collector(app)
        _translate(app)
        theme.apply_theme(app, chosen.choice("theme"))
    return app


def _translate(app: QApplication) -> None:
    text.install_translator(
        lambda context, source, n: QCoreApplication.translate(context, source, "", n)
    )
    for folder, name in (
        (QLibraryInfo.path(QLibraryInfo.LibraryPath.TranslationsPath), "qtbase"),
        (str(resources.path("tables").parent / "translations"), "overread"),
    ):
        translator = QTranslator(app)
        if translator.load(QLocale(), name, "_", folder):
            app.installTranslator(translator)


def install_net() -> None:
    """Catch what nobody caught: log it, keep the work, say where the log is."""

    def caught(kind: type[BaseException], error: BaseException, _trace: object) -> None:
        if issubclass(kind, KeyboardInterrupt):
            _close_windows()
            return
        logbook.note_defect(error)
        if threading.current_thread() is threading.main_thread():
            _show_defect()

    sys.excepthook = caught
    threading.excepthook = lambda args: caught(
        args.exc_type, args.exc_value or args.exc_type(), args.exc_traceback
    )


def _show_defect() -> None:
    problem = Problem(
        translate("app", "Something in Overread went wrong; your work is saved."),
        translate("app", "Details are in {file}.").format(file=logbook.log_file()),
    )
    for window in QApplication.topLevelWidgets():
        bar = getattr(window, "message", None)
        if isinstance(bar, MessageBar):
            bar.show_problem(problem)


def _close_windows() -> None:
    for window in QApplication.topLevelWidgets():
        window.close()


def _obey_ctrl_c(app: QApplication) -> QTimer:
    """Let Ctrl+C in the terminal close the window: saved, like any other close."""
    signal.signal(signal.SIGINT, lambda _number, _frame: _close_windows())
    # Python handles a signal between two of its own steps, and Qt's loop makes none.
    timer = QTimer(app)
    timer.start(_SIGNAL_MS)
    timer.timeout.connect(_nothing)
    return timer


def _nothing() -> None:
    pass


def show_within_screen(window: QWidget) -> None:
    """Show a window with its frame inside the screen: its status bar and title bar in reach."""
    room = window.screen().availableSize()
    if window.width() < room.width() and window.height() + _TITLE_BAR_PX < room.height():
        window.show()
        return
    window.resize(window.size().boundedTo(room * 0.9))  # for when it is no longer maximised
    window.showMaximized()


def run(paths: Sequence[Path], *, sample: bool = False) -> int:
    """Open the window and stay until it is closed; return the exit code."""
    from viewer.ui.main_window import MainWindow

    start_log()
    app = make_app()
    install_net()
    _obey_ctrl_c(app)
    window = MainWindow()
    show_within_screen(window)
    if paths:
        window.open_paths(list(paths))
    elif sample:
        window.open_sample()
    else:
        window.asking.reader_at_start()
    return app.exec()
