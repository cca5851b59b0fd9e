package dev.ashlar.http;

import dev.ashlar.block.BlockStore;
import dev.ashlar.block.Cid;
import dev.ashlar.block.StoreUnavailableException;
import io.netty.buffer.ByteBuf;
import io.netty.buffer.PooledByteBufAllocator;
import io.vertx.core.Future;
import io.vertx.core.http.HttpServerResponse;
import io.vertx.core.internal.buffer.BufferInternal;
import java.nio.ByteBuffer;
import java.util.Map;
import java.util.Optional;

/**
 * Sends a stored block, or a range of it: 200, 206, 304, 404 or 416 (RFC 9110 §13 and §14). The
 * bytes are copied once, from where the store has them into a pooled buffer that the socket takes.
 */
final class BlockResponse {

  private final Workers workers;
  private final int inlineReadBytesMax;

  BlockResponse(Workers workers, GatewayOptions.Limits limits) {
    this.workers = workers;
    this.inlineReadBytesMax = limits.inlineReadBytesMax();
  }

  /**
   * Answers with the block.
   *
   * @param entityTag the strong entity tag of this representation
   * @param headers sent with 200 and 206
   * @param validators those of them that 304 repeats
   */
  void send(
      Exchange exchange,
      Cid cid,
      String entityTag,
      Map<String, String> headers,
      Map<String, String> validators) {
    if (exchange.isHead() || matches(exchange, entityTag)) {
      exchange.answer(
          workers.call(store -> store.size(cid)),
          size -> {
            if (size.isEmpty()) {
              throw absent(cid);
            }
            if (matches(exchange, entityTag)) {
              notModified(exchange, entityTag, validators);
            } else {
              head(exchange, entityTag, headers, size.getAsInt());
            }
          });
      return;
    }
    exchange.answer(
        read(cid),
        read -> {
          if (read.isEmpty()) {
            throw absent(cid);
          }
          body(exchange, entityTag, headers, read.get());
        });
  }

  static Problem absent(Cid cid) {
    return new Problem(Problem.Code.NOT_FOUND, "block " + cid + " is not here");
  }

  /** Sends all of a block that has been read, with these headers. */
  void whole(Exchange exchange, Map<String, String> headers, ByteBuf bytes) {
    headers.forEach(exchange.response()::putHeader);
    int held = held(bytes);
    exchange
        .response()
        .putHeader("Content-Length", Integer.toString(bytes.readableBytes()))
        .end(BufferInternal.buffer(bytes))
        .onComplete(done -> release(bytes, held));
  }

  /** A copy of the block's bytes; whoever gets it sends it, for it must be released. */
  Future<Optional<ByteBuf>> read(Cid cid) {
    if (inlineReadBytesMax > 0) {
      // An option of the operator's: a small block that is in memory is read faster than handed on.
      BlockStore store = workers.store();
      int size = store.size(cid).orElse(0);
      if (size <= inlineReadBytesMax) {
        return Future.succeededFuture(store.view(cid, BlockResponse::copy));
      }
    }
    return workers.call(store -> store.view(cid, this::copyWithinBudget));
  }

  private ByteBuf copyWithinBudget(ByteBuffer bytes) {
    if (!workers.takeBytes(bytes.remaining())) {
      throw new StoreUnavailableException("too many downloads are under way; try again");
    }
    return copy(bytes);
  }

  private static ByteBuf copy(ByteBuffer bytes) {
    return PooledByteBufAllocator.DEFAULT.directBuffer(bytes.remaining()).writeBytes(bytes);
  }

  private void body(
      Exchange exchange, String entityTag, Map<String, String> headers, ByteBuf bytes) {
    int size = bytes.readableBytes();
    int held = held(bytes);
    try {
      Optional<ByteRange> range = range(exchange, entityTag, size);
      HttpServerResponse response = exchange.response();
      headers.forEach(response::putHeader);
      response.putHeader("ETag", entityTag).putHeader("Accept-Ranges", "bytes");
      range.ifPresent(
          part -> response.setStatusCode(206).putHeader("Content-Range", part.contentRange(size)));
      ByteBuf part =
          range.isPresent() ? bytes.slice(range.get().first(), range.get().length()) : bytes;
      response
          .putHeader("Content-Length", Integer.toString(part.readableBytes()))
          .end(BufferInternal.buffer(part))
          .onComplete(done -> release(bytes, held));
    } catch (RuntimeException e) {
      release(bytes, held);
      throw e;
    }
  }

  /** How much of the budget a copy has taken: what was read on the event loop has taken none. */
  private int held(ByteBuf bytes) {
    int size = bytes.readableBytes();
    return inlineReadBytesMax > 0 && size <= inlineReadBytesMax ? 0 : size;
  }

  private void release(ByteBuf bytes, int held) {
    bytes.release();
    workers.giveBytes(held);
  }

  private static void head(
      Exchange exchange, String entityTag, Map<String, String> headers, int size) {
    headers.forEach(exchange.response()::putHeader);
    exchange
        .response()
        .putHeader("ETag", entityTag)
        .putHeader("Accept-Ranges", "bytes")
        .putHeader("Content-Length", Integer.toString(size))
        .end();
  }

  private static void notModified(
      Exchange exchange, String entityTag, Map<String, String> validators) {
    validators.forEach(exchange.response()::putHeader);
    exchange.response().setStatusCode(304).putHeader("ETag", entityTag).end();
  }

  /** If-None-Match: weak comparison with any tag of the list (RFC 9110 §13.1.2). */
  private static boolean matches(Exchange exchange, String entityTag) {
    for (String list : exchange.request().headers().getAll("If-None-Match")) {
      for (String each : list.split(",", -1)) {
        String tag = each.strip();
        if (tag.equals("*") || (tag.startsWith("W/") ? tag.substring(2) : tag).equals(entityTag)) {
          return true;
        }
      }
    }
    return false;
  }

  /** The range that was asked for, where it is one and If-Range allows it (RFC 9110 §13.1.5). */
  private static Optional<ByteRange> range(Exchange exchange, String entityTag, int size) {
    boolean allowed = exchange.header("If-Range").map(entityTag::equals).orElse(true);
    return allowed
        ? exchange.header("Range").flatMap(value -> ByteRange.parse(value, size))
        : Optional.empty();
  }
}
