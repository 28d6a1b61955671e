"""The simulated endpoint's batch-server model without HTTP, which may refuse with 503 what its queue cannot take."""

from benchmarks.limits.server import Reply, Request
from corpusmill.limits.server_load import ServerLoad
from corpusmill.simulate.batch import Batch

SEQUENCES_MOST = 256


class BatchServer:
    """Runs 256 sequences at once; the others wait, or are refused beyond `queue_most`."""

    def __init__(self, queue_most: int | None = None) -> None:
        self.refused = 0
        self._queue_most = queue_most
        self._batch = Batch(SEQUENCES_MOST)

    @property
    def tokens_done(self) -> float:
        """Tokens decoded so far."""
        return self._batch.tokens_done

    def load(self) -> ServerLoad:
        """Return what its /metrics would say."""
        return ServerLoad(self._batch.running, self._batch.waiting)

    async def call(self, request: Request, sender: str) -> Reply:
        """Take a request; `sender` is of no interest to this server."""
        del sender
        if self._queue_most is not None and self._batch.waiting >= self._queue_most:
            self.refused += 1
            return Reply(503, {})
        await self._batch.decode(request.output_tokens)
        return Reply(200, {}, None, request.input_tokens, request.output_tokens)
