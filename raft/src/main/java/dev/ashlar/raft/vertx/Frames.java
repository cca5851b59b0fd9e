package dev.ashlar.raft.vertx;

import io.netty.buffer.ByteBuf;
import io.netty.buffer.Unpooled;
import io.vertx.core.Handler;
import io.vertx.core.buffer.Buffer;
import io.vertx.core.internal.buffer.BufferInternal;
import java.nio.ByteBuffer;
import java.util.List;
import java.util.function.Consumer;
import java.util.zip.CRC32C;

/**
 * Length-prefixed frames with a CRC32C (docs/format.md, "Frames"): {@code length 4 | crc 4 |
 * bytes}. Reads one direction of one connection.
 */
final class Frames implements Handler<Buffer> {

  private static final int HEAD_BYTES = 8;

  /** Room for a body grows with what has come of it: a head alone takes none. */
  private static final int FIRST_BODY_BYTES = 256 << 10;

  private static final int GROWTH = 4;

  private int bytesMax;
  private final Consumer<ByteBuffer> frames;
  private ByteBuffer head = ByteBuffer.allocate(HEAD_BYTES);
  private ByteBuffer body = ByteBuffer.allocate(0);
  private int bodyBytes;
  private boolean inBody;

  /**
   * @param bytesMax the largest frame that is taken
   * @param frames is given each one's bytes, which belong to it
   */
  Frames(int bytesMax, Consumer<ByteBuffer> frames) {
    this.bytesMax = bytesMax;
    this.frames = frames;
  }

  /** Takes larger frames from now on. */
  void allow(int newBytesMax) {
    bytesMax = newBytesMax;
  }

  /** A frame of these parts, which are not copied. */
  static Buffer encode(List<ByteBuffer> parts) {
    CRC32C crc = new CRC32C();
    int length = 0;
    ByteBuf[] buffers = new ByteBuf[parts.size() + 1];
    for (int i = 0; i < parts.size(); i++) {
      crc.update(parts.get(i).duplicate());
      length += parts.get(i).remaining();
      buffers[i + 1] = Unpooled.wrappedBuffer(parts.get(i));
    }
    buffers[0] =
        Unpooled.wrappedBuffer(
            ByteBuffer.allocate(HEAD_BYTES).putInt(length).putInt((int) crc.getValue()).flip());
    return BufferInternal.buffer(Unpooled.wrappedBuffer(buffers.length, buffers));
  }

  /** Takes what came. Throws {@link FrameException} at the first byte that cannot be. */
  @Override
  public void handle(Buffer chunk) {
    ByteBuf in = ((BufferInternal) chunk).getByteBuf();
    int at = in.readerIndex();
    int end = in.writerIndex();
    while (at < end || (inBody && !body.hasRemaining())) {
      ByteBuffer target = inBody ? body : head;
      int taken = Math.min(target.remaining(), end - at);
      ByteBuffer window = target.duplicate().limit(target.position() + taken);
      in.getBytes(at, window);
      target.position(target.position() + taken);
      at += taken;
      if (!target.hasRemaining()) {
        next();
      }
    }
  }

  private void next() {
    if (!inBody) {
      int length = head.getInt(0);
      if (length < 0 || length > bytesMax) {
        throw new FrameException("a frame of " + (length & 0xffffffffL) + " bytes");
      }
      bodyBytes = length;
      body = ByteBuffer.allocate(Math.min(length, FIRST_BODY_BYTES));
      inBody = true;
      return;
    }
    if (body.capacity() < bodyBytes) {
      long more = Math.min(bodyBytes, (long) GROWTH * body.capacity());
      body = ByteBuffer.allocate((int) more).put(body.flip());
      return;
    }
    ByteBuffer whole = body.flip();
    CRC32C crc = new CRC32C();
    crc.update(whole.duplicate());
    if ((int) crc.getValue() != head.getInt(4)) {
      throw new FrameException("a frame fails its checksum");
    }
    head = ByteBuffer.allocate(HEAD_BYTES);
    body = ByteBuffer.allocate(0);
    inBody = false;
    frames.accept(whole);
  }
}
