package dev.ashlar.server;

import dev.ashlar.block.Cid;
import dev.ashlar.block.StoreUnavailableException;
import dev.ashlar.block.engine.ManifestHead;
import dev.ashlar.block.engine.ManifestRow;
import dev.ashlar.block.engine.StorageEngine;
import dev.ashlar.block.root.RootKey;
import dev.ashlar.block.root.RootRecord;
import dev.ashlar.raft.vertx.RaftNode;
import io.vertx.core.Future;
import io.vertx.core.Vertx;
import io.vertx.core.buffer.Buffer;
import io.vertx.core.http.HttpServerResponse;
import io.vertx.core.json.JsonObject;
import io.vertx.ext.web.RoutingContext;
import java.util.List;
import java.util.Optional;
import java.util.concurrent.TimeUnit;
import java.util.concurrent.atomic.AtomicBoolean;

/**
 * {@code GET /cluster/manifest}: everything replicated as of one index, a line for each block
 * (docs/format.md, "Backup"). While it is sent the index rests and the log grows, so it ends after
 * a while whatever the client does.
 */
final class ManifestRoute {

  private static final int PAGE_ROWS = 1000;
  private static final long HELD_MILLIS_MAX = TimeUnit.MINUTES.toMillis(5);

  private final Vertx vertx;
  private final RaftNode node;
  private final StorageEngine engine;
  private final AtomicBoolean sending = new AtomicBoolean();

  ManifestRoute(Vertx vertx, RaftNode node, StorageEngine engine) {
    this.vertx = vertx;
    this.node = node;
    this.engine = engine;
  }

  void handle(RoutingContext context) {
    if (!sending.compareAndSet(false, true)) {
      ClusterRoutes.unavailable(
          context, new StoreUnavailableException("another manifest is being sent; try again"));
      return;
    }
    node.hold()
        .onFailure(
            e -> {
              sending.set(false);
              ClusterRoutes.unavailable(context, e);
            })
        .onSuccess(head -> new Sending(context.response(), head).begin());
  }

  /** One manifest on its way. */
  private final class Sending {

    private final HttpServerResponse response;
    private final ManifestHead head;
    private final AtomicBoolean released = new AtomicBoolean();
    private long timer = -1;
    private long rows;
    private long roots;

    Sending(HttpServerResponse response, ManifestHead head) {
      this.response = response;
      this.head = head;
    }

    void begin() {
      try {
        timer = vertx.setTimer(HELD_MILLIS_MAX, id -> cutOff());
        response.closeHandler(nothing -> release());
        send();
      } catch (RuntimeException e) {
        // The client is gone already.
        release();
      }
    }

    private void send() {
      response.setChunked(true).putHeader("Content-Type", "application/x-ndjson");
      node.status()
          .compose(
              status ->
                  response.write(
                      line(
                          new JsonObject()
                              .put("cluster", status.cluster().toString())
                              .put("index", head.at().index())
                              .put("term", head.at().term())
                              .put("blocks", head.blocks())
                              .put("bytes", head.bytes()))))
          .compose(done -> page(Optional.empty()))
          .onComplete(
              result -> {
                if (result.failed()) {
                  cutOff();
                } else {
                  release();
                }
              });
    }

    private Future<Void> page(Optional<ManifestRow> after) {
      if (released.get()) {
        return Future.failedFuture("it is over");
      }
      return vertx
          .executeBlocking(
              () -> engine.manifest().page(after.map(ManifestRow::multihash), PAGE_ROWS), false)
          .compose(
              found -> {
                rows += found.size();
                return found.size() < PAGE_ROWS
                    ? response.write(lines(found)).compose(done -> roots(Optional.empty()))
                    : response
                        .write(lines(found))
                        .compose(done -> page(Optional.of(found.get(found.size() - 1))));
              });
    }

    private Future<Void> roots(Optional<RootKey> after) {
      if (released.get()) {
        return Future.failedFuture("it is over");
      }
      return vertx
          .executeBlocking(() -> engine.manifest().roots(after, PAGE_ROWS), false)
          .compose(
              found -> {
                Buffer lines = Buffer.buffer();
                for (RootRecord root : found) {
                  if (root.key().kind().keepsBlocks()) {
                    roots++;
                    lines.appendBuffer(line(SavedRoot.toJson(root)));
                  }
                }
                return found.size() < PAGE_ROWS
                    ? response.end(lines.appendBuffer(end()))
                    : response
                        .write(lines)
                        .compose(done -> roots(Optional.of(found.get(found.size() - 1).key())));
              });
    }

    private Buffer end() {
      return line(new JsonObject().put("end", true).put("blocks", rows).put("roots", roots));
    }

    /** What was sent has no end, so that nobody takes it for the whole. */
    private void cutOff() {
      release();
      response.reset();
    }

    private void release() {
      if (released.compareAndSet(false, true)) {
        vertx.cancelTimer(timer);
        sending.set(false);
        node.release();
      }
    }
  }

  private static Buffer lines(List<ManifestRow> rows) {
    Buffer lines = Buffer.buffer();
    for (ManifestRow row : rows) {
      lines.appendBuffer(
          line(
              new JsonObject()
                  .put("cid", Cid.v1(row.codec(), row.multihash()).toString())
                  .put("size", row.length())
                  .put("index", row.lastPut())));
    }
    return lines;
  }

  private static Buffer line(JsonObject json) {
    return json.toBuffer().appendByte((byte) '\n');
  }
}
