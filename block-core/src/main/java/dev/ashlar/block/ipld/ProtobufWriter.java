package dev.ashlar.block.ipld;

import java.io.ByteArrayOutputStream;
import java.nio.ByteBuffer;

/**
 * Writes the fields of a protobuf message, in the order of the calls (Protocol Buffers encoding).
 */
public final class ProtobufWriter {

  private final ByteArrayOutputStream out = new ByteArrayOutputStream();

  /** Writes a field that is a number, as unsigned. */
  public ProtobufWriter number(int field, long value) {
    varint((long) field << 3);
    varint(value);
    return this;
  }

  /** Writes a field that is a byte string or a message; the buffer's position does not change. */
  public ProtobufWriter bytes(int field, ByteBuffer value) {
    varint((long) field << 3 | 2);
    varint(value.remaining());
    byte[] copy = new byte[value.remaining()];
    value.duplicate().get(copy);
    out.writeBytes(copy);
    return this;
  }

  /** The message. */
  public ByteBuffer toBytes() {
    return ByteBuffer.wrap(out.toByteArray());
  }

  private void varint(long value) {
    long left = value;
    while ((left & ~0x7fL) != 0) {
      out.write((int) (left & 0x7f) | 0x80);
      left >>>= 7;
    }
    out.write((int) left);
  }
}
