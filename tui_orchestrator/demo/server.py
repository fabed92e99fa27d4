"""A loopback server that speaks one vendor's wire format for a few scripted models, and can break off anywhere."""

from __future__ import annotations

import asyncio
import json
import secrets
from collections import defaultdict
from collections.abc import Awaitable, Callable, Coroutine, Mapping, Sequence
from types import TracebackType
from typing import Any

from .anthropic import Anthropic
from .behaviour import GOES_ON, LISTING, Behaviour, Break, How, Phase, Reply, Say, Script
from .dialect import Complaint, Completion, Dialect, Frame, Target, dumps
from .exchange import Exchange
from .gemini import Gemini
from .openai import OpenAI
from .roster import DemoModel, Protocol
from .scripted import complete
from .wire import MOST_HEAD_BYTES, BadHttp, HttpRequest, Wire, head

Sleep = Callable[[float], Awaitable[object]]

_JSON = {"content-type": "application/json"}
_SSE = {"content-type": "text/event-stream; charset=utf-8", "cache-control": "no-cache", "transfer-encoding": "chunked"}
_GARBAGE: dict[How, bytes] = {
    "bad_json": b'{"id": "demo", "choices": [{"index": 0, "del',
    "bad_utf8": b'{"type": "text", "text": "\xff\xfe\xc3"}',
    "wrong_shape": b'{"unexpected": ["shape", 1, null]}',
}


def dialect_of(protocol: Protocol, local: bool = False) -> Dialect:
    if protocol == "openai":
        return OpenAI(local)
    return Anthropic() if protocol == "anthropic" else Gemini()


class DemoServer:
    """Runs in the caller's event loop, from `async with` or start() to aclose(), and leaves no task and no socket.

    `pace` multiplies every pause: 1 as the models' speeds say, 0 without any. `sleep` makes the pauses, so that a test
    may own them. `habits=False` leaves out what the models do of themselves (429s, breaks); scripts always hold.
    """

    def __init__(
        self,
        protocol: Protocol,
        models: Sequence[DemoModel],
        *,
        name: str = "demo",
        local: bool = False,
        script: Script | None = None,
        pace: float = 1.0,
        sleep: Sleep = asyncio.sleep,
        habits: bool = True,
    ) -> None:
        self.name = name
        self.script = script or Script()
        self.exchanges: list[Exchange] = []
        self._dialect = dialect_of(protocol, local)
        self._models = {model.name: model for model in models}
        self._pace = pace
        self._sleep = sleep
        self._habits = habits
        self._calls: dict[str, int] = defaultdict(int)
        self._connections: set[asyncio.Task[None]] = set()
        self._server: asyncio.Server | None = None
        self._port = 0

    @property
    def base_url(self) -> str:
        """As the vendor's SDK wants it."""
        return f"http://127.0.0.1:{self._port}{self._dialect.path}"

    async def start(self, port: int = 0) -> None:
        self._server = await asyncio.start_server(self._accept, "127.0.0.1", port, limit=MOST_HEAD_BYTES)
        self._port = self._server.sockets[0].getsockname()[1]

    async def aclose(self) -> None:
        """Ends at once whatever is under way. May be called again."""
        if self._server is None:
            return
        server, self._server = self._server, None
        server.close()
        for task in self._connections:
            task.cancel()
        await asyncio.gather(*self._connections, return_exceptions=True)
        await server.wait_closed()

    async def __aenter__(self) -> DemoServer:
        await self.start()
        return self

    async def __aexit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        await self.aclose()

    def _accept(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        task = asyncio.get_running_loop().create_task(self._converse(Wire(reader, writer)))
        self._connections.add(task)
        task.add_done_callback(self._connections.discard)

    async def _converse(self, wire: Wire) -> None:
        """Request after request on one connection."""
        try:
            fault = self.script.take_connection()
            if fault is not None:
                await _until_gone(wire, self._break_connection(wire, fault.how))
                return
            while wire.open:
                try:
                    request = await wire.request()
                except BadHttp as error:
                    body = dumps({"error": {"message": str(error)}})
                    await wire.write(head(error.status, _JSON | {"content-length": str(len(body))}) + body)
                    break
                if request is None:
                    break
                await self._serve(wire, request)
        except ConnectionError:
            wire.abort()  # the client left between two requests: nothing is owed to it
        except BaseException:
            wire.abort()  # a bug must not leave a client waiting
            raise
        await wire.close()

    async def _serve(self, wire: Wire, request: HttpRequest) -> None:
        try:
            body = json.loads(request.body) if request.body else None
        except ValueError:  # JSONDecodeError and UnicodeDecodeError
            body = None
        exchange = Exchange(
            self.name, request.method, request.path, request.query, request.headers, body, ending="open"
        )
        self.exchanges.append(exchange)
        try:
            finished = await _until_gone(wire, self._respond(wire, request, exchange))
            exchange.end("completed" if finished else "hung_up")
        except ConnectionError:
            exchange.end("hung_up")
            raise
        finally:
            exchange.end("broken")  # the server itself was closed; an exchange that has ended stays as it ended

    async def _respond(self, wire: Wire, request: HttpRequest, exchange: Exchange) -> None:
        target = self._dialect.target(request)
        try:
            if target is None or request.method != ("POST" if target.kind == "generate" else "GET"):
                raise Complaint(404, f"Unknown request URL: {request.method} {request.path}.")
            if not self._dialect.authorised(request):
                raise Complaint(401, "")
            if target.kind == "generate":
                await self._generate(wire, target, exchange)
            else:
                await self._list(wire, target, exchange)
        except Complaint as complaint:
            error = self._dialect.error(complaint.status, complaint.message or None, exchange.model, complaint.code)
            await self._whole(wire, exchange, complaint.status, {}, dumps(error))

    async def _list(self, wire: Wire, target: Target, exchange: Exchange) -> None:
        scripted = self.script.take(LISTING)
        if isinstance(scripted, Reply):
            await self._reply(wire, exchange, scripted)
            return
        if isinstance(scripted, Break):
            await self._break(wire, exchange, scripted)
            return
        if target.kind == "model":
            exchange.model = target.model
            body = self._dialect.model(self._model(target.model))
        else:
            body = self._dialect.listing(list(self._models.values()))
        await self._whole(wire, exchange, 200, {}, dumps(body))

    async def _generate(self, wire: Wire, target: Target, exchange: Exchange) -> None:
        if not isinstance(exchange.body, Mapping):
            raise Complaint(400, "")
        question = self._dialect.question(target, exchange.body)
        exchange.model = question.model
        model = self._model(question.model)
        exchange.input_tokens = question.input_tokens
        if question.input_tokens > (model.model.context_window or 0):
            raise self._dialect.too_long(model, question)
        behaviour = self._behaviour(model)
        if isinstance(behaviour, Reply):
            await self._reply(wire, exchange, behaviour)
            return
        fault = behaviour if isinstance(behaviour, Break) else None
        say = fault.say if fault else behaviour if isinstance(behaviour, Say) else Say()
        completion = complete(model, question, say)
        if fault and fault.at in (Phase.CONNECT, Phase.HEADERS, Phase.HALF_HEADERS):
            await self._break(wire, exchange, fault)
        elif question.stream:
            await self._stream(wire, exchange, completion, say, fault)
        else:
            await self._at_once(wire, exchange, completion, fault)

    def _model(self, name: str) -> DemoModel:
        if name not in self._models:
            raise Complaint(404, "")
        return self._models[name]

    def _behaviour(self, model: DemoModel) -> Behaviour | None:
        scripted = self.script.take(model.name)
        if scripted is not None or not self._habits:
            return scripted
        self._calls[model.name] += 1
        return model.habit[(self._calls[model.name] - 1) % len(model.habit)]

    async def _stream(
        self, wire: Wire, exchange: Exchange, completion: Completion, say: Say, fault: Break | None
    ) -> None:
        frames = self._dialect.frames(completion)
        exchange.status = 200
        await wire.head(200, _SSE | self._dialect.headers(200, completion.id))
        await wire.chunk(frames.opening)
        breaks_at = frames.index_of(fault.at) if fault else None
        for index, frame in enumerate((*frames.pieces, None)):
            if fault and index == breaks_at and await self._break(wire, exchange, fault):
                return
            if frame is None:
                break
            await self._pause(completion.model, frame, index, say)
            await wire.chunk(frame.data)
            exchange.output_tokens += frame.tokens
            exchange.text += frame.text
        exchange.reported = completion.usage if completion.reports_usage else None
        await wire.chunk(frames.closing)
        exchange.end("completed")
        await wire.finish()

    async def _pause(self, model: DemoModel, frame: Frame, index: int, say: Say) -> None:
        if say.gap_s is not None:
            await self._sleep(say.gap_s)
        else:
            first = model.model.first_token_s if index == 0 else 0.0
            await self._sleep(self._pace * (first + frame.tokens / model.model.tokens_per_s))

    async def _at_once(self, wire: Wire, exchange: Exchange, completion: Completion, fault: Break | None) -> None:
        body = dumps(self._dialect.whole(completion))
        facts = completion.model.model
        await self._sleep(self._pace * (facts.first_token_s + completion.usage.output / facts.tokens_per_s))
        if fault is None:
            exchange.text = "".join(completion.text)
            exchange.output_tokens = completion.usage.output
            exchange.reported = completion.usage if completion.reports_usage else None
            await self._whole(wire, exchange, 200, self._dialect.headers(200, completion.id), body)
            return
        sent = {Phase.BEFORE_TEXT: 0, Phase.MID_STREAM: len(body) // 2}.get(fault.at, len(body) - 1)
        exchange.status = 200
        await wire.write(head(200, _JSON | {"content-length": str(len(body))}) + body[:sent])
        await self._break_connection(wire, fault.how)
        exchange.end("broken")

    async def _whole(
        self, wire: Wire, exchange: Exchange, status: int, headers: Mapping[str, str], body: bytes
    ) -> None:
        exchange.status = status
        named = _JSON | self._dialect.headers(status, secrets.token_hex(16)) | dict(headers)
        await wire.write(head(status, named | {"content-length": str(len(body))}) + body)
        exchange.end("completed")

    async def _reply(self, wire: Wire, exchange: Exchange, reply: Reply) -> None:
        body = reply.body
        if body is None:
            body = dumps(self._dialect.error(reply.status, reply.message, exchange.model))
        await self._whole(wire, exchange, reply.status, {"content-type": reply.content_type, **reply.headers}, body)

    async def _break(self, wire: Wire, exchange: Exchange, fault: Break) -> bool:
        """Does what the fault says; True when nothing may follow it."""
        how = fault.how
        if exchange.status is None:
            if fault.at is Phase.HALF_HEADERS:
                await wire.write(b"HTTP/1.1 200 OK\r\ncontent-ty")
            await self._break_connection(wire, how)
        elif how in GOES_ON:
            await wire.chunk(b": keepalive\n\n" if how == "comment" else self._dialect.event(_GARBAGE[how]))
            return False
        elif how == "half_line":
            await wire.chunk(self._dialect.event(_GARBAGE["bad_json"]).rstrip(b"\r\n"))
            await wire.finish()
        elif how == "error_event":
            await wire.chunk(self._dialect.error_event(fault.status, exchange.model))
            await wire.finish()
        elif how == "end":
            await wire.finish()
        else:
            await self._break_connection(wire, how)
        exchange.end("broken")
        return True

    async def _break_connection(self, wire: Wire, how: How) -> None:
        if how == "silence":
            await asyncio.Event().wait()
        elif how == "reset":
            wire.reset()
        else:
            await wire.close()


async def _until_gone(wire: Wire, work: Coroutine[Any, Any, None]) -> bool:
    """Runs the work until it is done (True) or the client has hung up (False); nothing of either is left running."""
    doing = asyncio.ensure_future(work)
    leaving = asyncio.ensure_future(wire.gone())
    try:
        await asyncio.wait({doing, leaving}, return_when=asyncio.FIRST_COMPLETED)
        if not doing.done():
            return False
        doing.result()
        return True
    finally:
        doing.cancel()
        leaving.cancel()
        await asyncio.gather(doing, leaving, return_exceptions=True)
