package dev.ashlar.block.ipld;

import dev.ashlar.block.MalformedException;
import java.nio.ByteBuffer;

/**
 * Reads the fields of a protobuf message one after the other (Protocol Buffers encoding): numbers
 * and byte strings, which is all that dag-pb and UnixFS use. Copies nothing.
 */
public final class Protobuf {

  private static final int VARINT = 0;
  private static final int FIXED_64 = 1;
  private static final int BYTES = 2;
  private static final int FIXED_32 = 5;

  private final ByteBuffer source;
  private int field;
  private int wireType;
  private long number;
  private ByteBuffer bytes = ByteBuffer.allocate(0);

  /**
   * @param message is read from its position to its limit; its position does not change
   */
  public Protobuf(ByteBuffer message) {
    this.source = message.slice();
  }

  /**
   * Goes to the next field.
   *
   * @return whether there is one
   * @throws MalformedException when the message is cut off, or has a field of another kind
   */
  public boolean next() {
    if (!source.hasRemaining()) {
      return false;
    }
    int at = source.position();
    long tag = varint(source);
    if (tag >>> 3 < 1 || tag >>> 3 > 0x1fff_ffff) {
      throw new MalformedException("a protobuf field has number " + (tag >>> 3), at);
    }
    field = (int) (tag >>> 3);
    wireType = (int) (tag & 7);
    switch (wireType) {
      case VARINT -> number = varint(source);
      case BYTES -> bytes = take(varint(source));
      case FIXED_64 -> take(Long.BYTES);
      case FIXED_32 -> take(Integer.BYTES);
      default -> throw new MalformedException("a protobuf field of wire type " + wireType, at);
    }
    return true;
  }

  /** The number of the field. */
  public int field() {
    return field;
  }

  /** Whether the field is a byte string, or a message. */
  public boolean isBytes() {
    return wireType == BYTES;
  }

  /**
   * The value of a field that is a number, as unsigned.
   *
   * @throws MalformedException when it is none
   */
  public long number() {
    require(wireType == VARINT, "a number");
    return number;
  }

  /**
   * The value of a field that is a byte string: a part of the message itself.
   *
   * @throws MalformedException when it is none
   */
  public ByteBuffer bytes() {
    require(wireType == BYTES, "a byte string");
    return bytes.slice();
  }

  private void require(boolean holds, String what) {
    if (!holds) {
      throw new MalformedException("field " + field + " is not " + what, source.position());
    }
  }

  /**
   * Reads a number where it stands by itself, as in a packed list. Unlike in a CID it can have ten
   * bytes, and more than it needs.
   *
   * @throws MalformedException when it is cut off or too long
   */
  public static long varint(ByteBuffer source) {
    long value = 0;
    for (int shift = 0; shift < 70 && source.hasRemaining(); shift += 7) {
      byte next = source.get();
      value |= shift < 64 ? (next & 0x7fL) << shift : 0;
      if (next >= 0) {
        return value;
      }
    }
    throw new MalformedException("a protobuf number is cut off or too long", source.position());
  }

  private ByteBuffer take(long length) {
    if (length < 0 || length > source.remaining()) {
      throw new MalformedException("a protobuf field is cut off", source.position());
    }
    ByteBuffer taken = source.slice(source.position(), (int) length);
    source.position(source.position() + (int) length);
    return taken;
  }
}
