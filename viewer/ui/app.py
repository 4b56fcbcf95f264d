"""Starting the window: application object, theme, log, the last net for defects."""

from __future__ import annotations

import logging
import logging.handlers
import sys
import threading
from collections.abc import Sequence
from pathlib import Path
from types import TracebackType

import pyqtgraph as pg
from PySide6.QtCore import (
    QCoreApplication,
    QLibraryInfo,
    QLocale,
    QMessageLogContext,
    Qt,
    QtMsgType,
    QTranslator,
    qInstallMessageHandler,
)
from PySide6.QtGui import QGuiApplication
from PySide6.QtWidgets import QApplication

import resources
from resources import text
from resources.problem import Problem
from resources.text import translate
from viewer import folders
from viewer.ui import theme

log = logging.getLogger("overread")


def start_log() -> Path:
    """Log into the log folder, bounded in size; never a tag value of a study."""
    file = folders.log_dir() / "overread.log"
    handler = logging.handlers.RotatingFileHandler(
        file, maxBytes=1_000_000, backupCount=3, encoding="utf-8", delay=True
    )
    handler.setFormatter(logging.Formatter("%(asctime)s %(levelname)s %(name)s %(message)s"))
    root = logging.getLogger()
    root.addHandler(handler)
    root.setLevel(logging.INFO)
    qInstallMessageHandler(_log_qt)
    # pydicom's messages may quote element values.
    logging.getLogger("pydicom").setLevel(logging.CRITICAL)
    logging.getLogger("highdicom").setLevel(logging.CRITICAL)
    return file


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
        app = QApplication(["overread", *arguments])
        QGuiApplication.setDesktopFileName("overread")
        _translate(app)
        theme.apply_theme(app)
        pg.setConfigOptions(imageAxisOrder="row-major", useOpenGL=False)
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


def install_net(log_file: Path) -> None:
    """Catch what nobody caught: log it, keep the work, say where the log is."""

    def show(message: str) -> None:
        for window in QApplication.topLevelWidgets():
            bar = getattr(window, "message", None)
            if bar is not None and hasattr(bar, "show_problem"):
                bar.show_problem(
                    Problem(
                        translate("app", "Something in Overread went wrong; your work is saved."),
                        translate("app", "Details are in {file}.").format(file=log_file),
                        message,
                    )
                )

    def caught(
        kind: type[BaseException], error: BaseException, trace: TracebackType | None
    ) -> None:
        if issubclass(kind, KeyboardInterrupt):
            QApplication.quit()
            return
        # The message of an exception may quote a study; its kind and place do not.
        place = []
        while trace is not None:
            code = trace.tb_frame.f_code
            place.append(f"{Path(code.co_filename).name}:{trace.tb_lineno} {code.co_name}")
            trace = trace.tb_next
        log.error("defect: %s at %s", kind.__name__, " < ".join(reversed(place)))
        if threading.current_thread() is threading.main_thread():
            show(kind.__name__)

    sys.excepthook = caught
    threading.excepthook = lambda args: caught(
        args.exc_type, args.exc_value or args.exc_type(), args.exc_traceback
    )


def run(paths: Sequence[Path], *, sample: bool = False) -> int:
    """Open the window and stay until it is closed; return the exit code."""
    from viewer.ui.main_window import MainWindow

    log_file = start_log()
    app = make_app()
    install_net(log_file)
    window = MainWindow()
    window.show()
    if paths:
        window.open_paths(list(paths))
    elif sample:
        window.open_sample()
    return app.exec()
