"""Mistakes of the program: whoever asked is told that there was one, the log where its report lies."""

from __future__ import annotations

import logging

from starlette.responses import JSONResponse
from starlette.types import ASGIApp, Message, Receive, Scope, Send

from ..services import crashes
from .wire import error_body


class Mistakes:
    """ASGI middleware, around everything else: uvicorn would log what Python prints, which may quote anything."""

    def __init__(self, app: ASGIApp) -> None:
        self._app = app

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        if scope["type"] != "http":
            await self._app(scope, receive, send)
            return
        begun = False

        async def sent(message: Message) -> None:
            nonlocal begun
            begun = True
            await send(message)

        try:
            await self._app(scope, receive, sent)
        except Exception as error:  # noqa: BLE001  # whatever it is
            # An answer that has begun breaks off, as uvicorn sees to and says too.
            logging.getLogger("uvicorn.error").error(crashes.told(crashes.write_down(error)))
            if not begun:
                sentence = "Something inside the gateway went wrong; its report is named where it runs."
                said = JSONResponse(error_body("internal", sentence), 500, headers={"x-should-retry": "false"})
                await said(scope, receive, send)
