package dev.ashlar.http;

import dev.ashlar.http.Kubo.BadArgument;
import io.netty.buffer.Unpooled;
import java.io.IOException;
import java.io.InputStream;
import java.util.ArrayDeque;
import java.util.Deque;
import java.util.Objects;
import java.util.Optional;

/**
 * The parts of a multipart request, one after the other, for a job to read: a part comes when the
 * one before has been read to its end. The body is decoded on the job's thread as it is read, so
 * that what waits is a slice of it, whatever the number and the size of its parts.
 */
final class MultipartInput {

  private static final int SLICE_BYTES = 64 << 10;

  private final BodyInput body;
  private final MultipartDecoder decoder;
  private final Deque<Part> parts = new ArrayDeque<>();
  private final byte[] slice = new byte[SLICE_BYTES];
  private boolean ended;

  /**
   * A file, or what came without a file's name.
   *
   * @param name of the form field
   * @param fileName as the client wrote it, decoded; empty where there is none
   * @param contentType of the part
   * @param bytes to be read to their end before the next part
   */
  record Part(String name, String fileName, String contentType, InputStream bytes) {}

  /**
   * Begins to take a request; on its event loop.
   *
   * @throws BadArgument when it is not multipart
   */
  MultipartInput(Exchange exchange, GatewayOptions.Limits limits) {
    this.decoder =
        MultipartDecoder.of(
            exchange,
            (name, fileName, contentType) -> {
              Content content = new Content();
              parts.add(new Part(name, Kubo.decoded(fileName), contentType, content));
              return content;
            });
    this.body = new BodyInput(exchange.request(), limits);
    exchange.invite();
  }

  /** What is done with a part; what it leaves unread of it is passed over. */
  @FunctionalInterface
  interface Taker {
    /** Takes a part, whose bytes it may read while this runs. */
    void take(Part part) throws IOException;
  }

  /**
   * Gives all parts to somebody, in their order. To be called once, from the job.
   *
   * @return whether there were any
   * @throws BadArgument when the body is malformed or cut off
   */
  boolean forEach(Taker taker) throws IOException {
    try {
      boolean any = false;
      for (Optional<Part> part = next(); part.isPresent(); part = next()) {
        any = true;
        taker.take(part.get());
        part.get().bytes().skip(Long.MAX_VALUE);
      }
      return any;
    } finally {
      decoder.close();
    }
  }

  private Optional<Part> next() throws IOException {
    while (parts.isEmpty() && !ended) {
      decodeMore();
    }
    return Optional.ofNullable(parts.poll());
  }

  private void decodeMore() throws IOException {
    int length = body.read(slice, 0, slice.length);
    if (length >= 0) {
      decoder.feed(Unpooled.wrappedBuffer(slice, 0, length));
    } else {
      ended = true;
      decoder.finish();
    }
  }

  /** The bytes of a part; to read them is what makes more of the body be decoded. */
  private final class Content extends InputStream implements MultipartDecoder.Content {
    private final Deque<byte[]> waiting = new ArrayDeque<>();
    private int at;
    private boolean complete;

    @Override
    public void add(byte[] bytes, boolean last) {
      if (bytes.length > 0) {
        waiting.add(bytes);
      }
      complete |= last;
    }

    @Override
    public int read() throws IOException {
      byte[] one = new byte[1];
      return read(one, 0, 1) < 0 ? -1 : one[0] & 0xff;
    }

    @Override
    public int read(byte[] target, int offset, int length) throws IOException {
      Objects.checkFromIndexSize(offset, length, target.length);
      if (length == 0) {
        return 0;
      }
      while (waiting.isEmpty() && !complete) {
        decodeMore();
      }
      byte[] first = waiting.peek();
      if (first == null) {
        return -1;
      }
      int taken = Math.min(length, first.length - at);
      System.arraycopy(first, at, target, offset, taken);
      at += taken;
      if (at == first.length) {
        at = 0;
        waiting.remove();
      }
      return taken;
    }
  }
}
