package dev.ashlar.http;

import dev.ashlar.block.BlockAssembler;
import dev.ashlar.block.BlockCursor;
import dev.ashlar.block.BlockPage;
import dev.ashlar.block.BlockStore;
import dev.ashlar.block.BlockStoreStatistics;
import dev.ashlar.block.Cid;
import dev.ashlar.block.HashFunction;
import dev.ashlar.block.MalformedException;
import dev.ashlar.block.Multicodec;
import dev.ashlar.block.PutResult;
import dev.ashlar.block.ReadConsistency;
import io.vertx.core.Vertx;
import io.vertx.core.buffer.Buffer;
import io.vertx.core.json.JsonObject;
import io.vertx.ext.web.Router;
import java.util.Map;

/** Ashlar's own interface: {@code /blocks} and {@code /stats}. */
final class NativeRoutes {

  private final Vertx vertx;
  private final Workers workers;
  private final GatewayOptions.Limits limits;
  private final BlockResponse blocks;

  NativeRoutes(Vertx vertx, Workers workers, GatewayOptions.Limits limits, BlockResponse blocks) {
    this.vertx = vertx;
    this.workers = workers;
    this.limits = limits;
    this.blocks = blocks;
  }

  void addTo(Router router) {
    router.post("/blocks").handler(Exchange.handler(this::post));
    router.get("/blocks").handler(Exchange.handler(this::list));
    router.get("/blocks/:cid").handler(Exchange.handler(this::get));
    router.head("/blocks/:cid").handler(Exchange.handler(this::get));
    router.put("/blocks/:cid").handler(Exchange.handler(this::put));
    router.delete("/blocks/:cid").handler(Exchange.handler(this::delete));
    router.get("/stats").handler(Exchange.handler(this::statistics));
  }

  private void post(Exchange exchange) {
    long codec = Multicodec.parse(exchange.parameter("codec").orElse("raw"));
    HashFunction function = HashFunction.parse(exchange.parameter("hash").orElse("sha2-256"));
    long length = exchange.contentLength();
    receive(
        exchange,
        length,
        BlockAssembler.of(codec, function, length, workers.store().blockBytesMax()));
  }

  private void put(Exchange exchange) {
    Cid cid = exchange.cidInPath();
    if (cid.isIdentity()) {
      throw new Problem(
          Problem.Code.INVALID_REQUEST, "an identity CID carries its bytes and is never stored");
    }
    long length = exchange.contentLength();
    receive(
        exchange, length, BlockAssembler.expecting(cid, length, workers.store().blockBytesMax()));
  }

  private void receive(Exchange exchange, long length, BlockAssembler assembler) {
    exchange.requirePlainBody();
    int blockBytesMax = workers.store().blockBytesMax();
    exchange.invite();
    exchange.answer(
        new BodyReceiver<>(
                vertx,
                workers,
                limits,
                exchange.request(),
                assembler,
                length,
                blockBytesMax,
                BlockStore::put)
            .receive(),
        result -> putDone(exchange, result));
  }

  private static void putDone(Exchange exchange, PutResult result) {
    exchange.response().putHeader("Location", "/blocks/" + result.cid());
    exchange.json(
        result.isNew() ? 201 : 200,
        new JsonObject()
            .put("cid", result.cid().toString())
            .put("size", result.size())
            .put("new", result.isNew()));
  }

  private void get(Exchange exchange) {
    Cid cid = exchange.cidInPath();
    blocks.send(
        exchange,
        cid,
        blocks.consistency(exchange, ReadConsistency.LINEARIZABLE),
        "\"" + cid + "\"",
        Map.of("Content-Type", "application/vnd.ipld.raw", "X-Content-Type-Options", "nosniff"),
        Map.of());
  }

  private void delete(Exchange exchange) {
    Cid cid = exchange.cidInPath();
    exchange.answer(
        workers.call(store -> store.delete(cid)),
        deleted ->
            exchange.json(
                200, new JsonObject().put("cid", cid.toString()).put("deleted", deleted)));
  }

  private void list(Exchange exchange) {
    BlockCursor cursor = cursor(exchange.parameter("cursor").orElse(""));
    int limit = exchange.number("limit", 1, BlockStore.LIST_LIMIT_MAX, limits.listLimitDefault());
    ReadConsistency consistency = blocks.consistency(exchange, ReadConsistency.LINEARIZABLE);
    exchange.answer(
        workers.call(store -> lines(store.reading(consistency).list(cursor, limit))),
        lines ->
            exchange.endWhenWritten(
                exchange.response().putHeader("Content-Type", "application/x-ndjson"), lines));
  }

  private static Buffer lines(BlockPage page) {
    Buffer lines = Buffer.buffer();
    for (BlockPage.Entry entry : page.entries()) {
      lines.appendString("{\"cid\":\"" + entry.cid() + "\",\"size\":" + entry.size() + "}\n");
    }
    page.next().ifPresent(next -> lines.appendString("{\"next\":\"" + next + "\"}\n"));
    return lines;
  }

  private static BlockCursor cursor(String text) {
    try {
      return BlockCursor.parse(text);
    } catch (MalformedException e) {
      throw new Problem(
          Problem.Code.INVALID_REQUEST, "not a cursor of a listing: " + e.getMessage());
    }
  }

  private void statistics(Exchange exchange) {
    BlockStoreStatistics statistics = workers.store().statistics();
    exchange.json(
        200,
        new JsonObject()
            .put("blocks", statistics.blocks())
            .put("bytes", statistics.bytes())
            .put("reclaimableBytes", statistics.reclaimableBytes())
            .put("blockBytesMax", workers.store().blockBytesMax()));
  }
}
