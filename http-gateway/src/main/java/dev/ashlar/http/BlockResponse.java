package dev.ashlar.http;

import dev.ashlar.block.BlockStore;
import dev.ashlar.block.Cid;
import dev.ashlar.block.ReadConsistency;
import io.netty.buffer.ByteBuf;
import io.netty.buffer.PooledByteBufAllocator;
import io.vertx.core.Future;
import io.vertx.core.http.HttpServerResponse;
import java.nio.ByteBuffer;
import java.util.Map;
import java.util.Optional;
import java.util.OptionalInt;

/**
 * Sends a stored block, or a range of it: 200, 206, 304, 404 or 416 (RFC 9110 §13 and §14).
 *
 * <p>Bytes are copied once, from where the store has them into a pooled buffer that the socket
 * takes, a slice at a time: the next slice is read when the socket has taken the one before, so a
 * client that reads slowly holds one slice and no transaction.
 */
final class BlockResponse {

  /** How much of a block is held for one client. */
  private static final int SLICE_BYTES = 512 << 10;

  /** Up to this much goes out with the end of the response, in one write. */
  private static final int SMALL_BYTES = 64 << 10;

  private final Workers workers;
  private final int inlineReadBytesMax;
  private final Optional<ReadConsistency> readConsistency;

  BlockResponse(Workers workers, GatewayOptions options) {
    this.workers = workers;
    this.inlineReadBytesMax = options.limits().inlineReadBytesMax();
    this.readConsistency = options.readConsistency();
  }

  /**
   * What the request asks for, else what the server is set to, else what the route is by nature.
   */
  ReadConsistency consistency(Exchange exchange, ReadConsistency ofRoute) {
    return exchange.consistency(readConsistency.orElse(ofRoute));
  }

  /**
   * Answers with the block.
   *
   * @param consistency how fresh the read has to be
   * @param entityTag the strong entity tag of this representation
   * @param headers sent with 200 and 206
   * @param validators those of them that 304 repeats
   */
  void send(
      Exchange exchange,
      Cid cid,
      ReadConsistency consistency,
      String entityTag,
      Map<String, String> headers,
      Map<String, String> validators) {
    boolean matches = matches(exchange, entityTag);
    if (exchange.isHead() || matches) {
      exchange.answer(
          workers.call(store -> store.reading(consistency).size(cid)),
          size -> {
            if (size.isEmpty()) {
              throw absent(cid);
            }
            if (matches) {
              notModified(exchange, entityTag, validators);
            } else {
              head(exchange, entityTag, headers, size.getAsInt());
            }
          });
      return;
    }
    Optional<String> range =
        exchange
            .header("Range")
            .filter(value -> exchange.header("If-Range").map(entityTag::equals).orElse(true));
    exchange.answer(
        read(cid, consistency, size -> range.flatMap(value -> ByteRange.parse(value, size))),
        read -> {
          Part part = read.orElseThrow(() -> absent(cid));
          HttpServerResponse response = exchange.response();
          headers.forEach(response::putHeader);
          response.putHeader("ETag", entityTag).putHeader("Accept-Ranges", "bytes");
          part.range.ifPresent(
              r ->
                  response
                      .setStatusCode(206)
                      .putHeader("Content-Range", r.contentRange(part.blockBytes)));
          transfer(exchange, cid, part);
        },
        read -> read.ifPresent(Part::release));
  }

  /**
   * Answers with the whole block and these headers.
   *
   * @param absent what to fail with where it is not there
   */
  void sendWhole(
      Exchange exchange,
      Cid cid,
      ReadConsistency consistency,
      Map<String, String> headers,
      Problem absent) {
    exchange.answer(
        read(cid, consistency, size -> Optional.empty()),
        read -> {
          Part part = read.orElseThrow(() -> absent);
          headers.forEach(exchange.response()::putHeader);
          transfer(exchange, cid, part);
        },
        read -> read.ifPresent(Part::release));
  }

  static Problem absent(Cid cid) {
    return new Problem(Problem.Code.NOT_FOUND, "block " + cid + " is not here");
  }

  /** Which part of a block of a size is wanted; empty for all of it. May throw a problem. */
  private interface Wanted {
    Optional<ByteRange> of(int blockBytes);
  }

  private Future<Optional<Part>> read(Cid cid, ReadConsistency consistency, Wanted wanted) {
    BlockStore here = workers.store().reading(ReadConsistency.UNCONFIRMED);
    boolean mayAnswer = consistency == ReadConsistency.LOCAL || here == workers.store();
    if (inlineReadBytesMax > 0 && mayAnswer) {
      // An option of the operator's: a small block that is in memory is read faster than handed on.
      OptionalInt size = here.size(cid);
      if (size.isPresent() && size.getAsInt() <= inlineReadBytesMax) {
        return Future.succeededFuture(here.view(cid, bytes -> firstPart(bytes, wanted)));
      }
    }
    return workers.call(
        store -> store.reading(consistency).view(cid, bytes -> firstPart(bytes, wanted)));
  }

  private Part firstPart(ByteBuffer bytes, Wanted wanted) {
    int size = bytes.remaining();
    Optional<ByteRange> range = wanted.of(size);
    int from = range.map(r -> (int) r.first()).orElse(0);
    int to = range.map(r -> (int) r.last() + 1).orElse(size);
    return new Part(copy(bytes, from, Math.min(to, from + SLICE_BYTES)), size, range, from, to);
  }

  private ByteBuf copy(ByteBuffer bytes, int from, int to) {
    workers.takeForDownload(to - from);
    try {
      return PooledByteBufAllocator.DEFAULT
          .directBuffer(to - from)
          .writeBytes(bytes.slice(from, to - from));
    } catch (RuntimeException | Error e) {
      workers.downloads().give(to - from);
      throw e;
    }
  }

  private void transfer(Exchange exchange, Cid cid, Part part) {
    int length = part.to - part.from;
    exchange.response().putHeader("Content-Length", Integer.toString(length));
    if (length <= SMALL_BYTES) {
      exchange
          .end(exchange.borrowed(part.slice), workers.limits())
          .onComplete(done -> part.release());
      return;
    }
    transferSlice(exchange, cid, part, part.slice, part.from);
  }

  /** Writes a slice; when the socket has taken it, reads and writes the next one, or ends. */
  private void transferSlice(Exchange exchange, Cid cid, Part part, ByteBuf slice, int from) {
    int length = slice.readableBytes();
    exchange
        .write(exchange.borrowed(slice), workers.limits())
        .onComplete(
            written -> {
              release(slice, length);
              int next = from + length;
              if (written.failed()) {
                exchange.fail(written.cause());
              } else if (next == part.to) {
                exchange.response().end();
              } else {
                readSlice(exchange, cid, part, next);
              }
            });
  }

  private void readSlice(Exchange exchange, Cid cid, Part part, int from) {
    int to = Math.min(part.to, from + SLICE_BYTES);
    workers
        .call(
            store -> store.reading(ReadConsistency.LOCAL).view(cid, bytes -> copy(bytes, from, to)))
        .onFailure(exchange::fail)
        .onSuccess(
            slice -> {
              if (slice.isEmpty()) {
                // Deleted meanwhile: a broken connection says that the rest is missing.
                exchange.fail(absent(cid));
              } else if (exchange.isGone()) {
                release(slice.get(), to - from);
              } else {
                transferSlice(exchange, cid, part, slice.get(), from);
              }
            });
  }

  private void release(ByteBuf slice, int length) {
    slice.release();
    workers.downloads().give(length);
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

  static void notModified(Exchange exchange, String entityTag, Map<String, String> validators) {
    validators.forEach(exchange.response()::putHeader);
    exchange.response().setStatusCode(304).putHeader("ETag", entityTag).end();
  }

  /** If-None-Match: weak comparison with any tag of the list (RFC 9110 §13.1.2). */
  static boolean matches(Exchange exchange, String entityTag) {
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

  /** What is to be sent of a block, with its first slice; whoever has it sends or releases it. */
  private final class Part {
    private final ByteBuf slice;
    private final int sliceBytes;
    private final int blockBytes;
    private final Optional<ByteRange> range;
    private final int from;
    private final int to;

    Part(ByteBuf slice, int blockBytes, Optional<ByteRange> range, int from, int to) {
      this.slice = slice;
      this.sliceBytes = slice.readableBytes();
      this.blockBytes = blockBytes;
      this.range = range;
      this.from = from;
      this.to = to;
    }

    void release() {
      BlockResponse.this.release(slice, sliceBytes);
    }
  }
}
