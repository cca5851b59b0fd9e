package dev.ashlar.raft.driver;

import java.nio.ByteBuffer;
import java.util.ArrayList;
import java.util.List;

/** Gathers the parts of a message; large ones stay where they lie. */
final class WireWriter {

  private static final int CHUNK_BYTES = 512;

  private final List<ByteBuffer> parts = new ArrayList<>();
  private ByteBuffer current = ByteBuffer.allocate(CHUNK_BYTES);

  WireWriter put(int value) {
    room(1).put((byte) value);
    return this;
  }

  WireWriter putInt(int value) {
    room(Integer.BYTES).putInt(value);
    return this;
  }

  WireWriter putLong(long value) {
    room(Long.BYTES).putLong(value);
    return this;
  }

  /** Bytes with their length before them. */
  WireWriter putBytes(byte[] bytes) {
    putInt(bytes.length);
    room(bytes.length).put(bytes);
    return this;
  }

  /** Buffers as they are, not copied. */
  WireWriter putParts(List<ByteBuffer> buffers) {
    for (ByteBuffer buffer : buffers) {
      if (buffer.remaining() <= CHUNK_BYTES) {
        room(buffer.remaining()).put(buffer.duplicate());
      } else {
        flush();
        parts.add(buffer.duplicate());
      }
    }
    return this;
  }

  List<ByteBuffer> parts() {
    flush();
    return parts;
  }

  private void flush() {
    if (current.position() > 0) {
      parts.add(current.flip());
      current = ByteBuffer.allocate(CHUNK_BYTES);
    }
  }

  private ByteBuffer room(int bytes) {
    if (current.remaining() < bytes) {
      flush();
      current = ByteBuffer.allocate(Math.max(bytes, CHUNK_BYTES));
    }
    return current;
  }
}
