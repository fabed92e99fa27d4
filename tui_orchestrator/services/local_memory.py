"""Whether a local model is in its server's memory, and having it brought there or taken out."""

from __future__ import annotations

from ..providers import memory
from .runtime import Runtime

NotMoved = memory.NotMoved


def loaded(runtime: Runtime, model_id: str) -> bool | None:
    """None for a model whose server does not say, or cannot be told."""
    model = runtime.registry.get(model_id)
    if model is None or runtime.catalogue.server(model.provider) not in memory.SERVERS:
        return None
    listed = runtime.catalogue.listed(model.provider, model.name)
    return listed.loaded if listed is not None and not listed.remote else None


async def move(runtime: Runtime, model_id: str, *, wanted: bool) -> None:
    """Into memory, or out of it; may take minutes. Raises NotMoved with a sentence."""
    model = runtime.registry.get(model_id)
    source = runtime.catalogue.source(model.provider) if model is not None else None
    if model is None or source is None or loaded(runtime, model_id) is None:
        raise NotMoved(f"{model_id} is not a model of an Ollama or LM Studio server that is running")
    server = runtime.catalogue.server(model.provider)
    await (memory.load if wanted else memory.unload)(source, server, model.name)
    await runtime.refresh(forget=False)
