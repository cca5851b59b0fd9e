package dev.ashlar.block.root;

import dev.ashlar.block.Cid;
import dev.ashlar.block.MalformedException;
import dev.ashlar.block.Multicodec;
import java.nio.ByteBuffer;
import java.nio.charset.StandardCharsets;

/**
 * A CID whose block is to be kept, and with a recursive pin all that it leads to.
 *
 * @param cid as it was pinned; its other version is the same pin
 * @param mode how much is kept
 * @param name what it is called, at most {@link #NAME_BYTES_MAX} bytes of UTF-8; empty for none
 */
public record Pin(Cid cid, Mode mode, String name) {

  /** No name has more bytes in UTF-8. */
  public static final int NAME_BYTES_MAX = 255;

  /** How much a pin keeps. */
  public enum Mode {
    /** The block alone. */
    DIRECT(1),
    /** The block and all that its links lead to. */
    RECURSIVE(2);

    private final int code;

    Mode(int code) {
      this.code = code;
    }
  }

  /** Checks the name's length. */
  public Pin {
    int bytes = name.getBytes(StandardCharsets.UTF_8).length;
    if (bytes > NAME_BYTES_MAX) {
      throw new IllegalArgumentException(
          "a name of " + bytes + " bytes is longer than " + NAME_BYTES_MAX);
    }
  }

  RootKey key() {
    return RootKey.pin(cid);
  }

  /** The value of its record (docs/format.md, "Roots"). */
  byte[] encode() {
    byte[] text = name.getBytes(StandardCharsets.UTF_8);
    return ByteBuffer.allocate(2 + text.length)
        .put((byte) mode.code)
        .put((byte) cid.version())
        .put(text)
        .array();
  }

  /**
   * The pin that a record is.
   *
   * @throws MalformedException when it is none
   */
  public static Pin of(RootRecord root) {
    Cid cid = Cid.decode(root.key().rest());
    ByteBuffer value = root.value().duplicate();
    if (value.remaining() < 2) {
      throw new MalformedException("a pin of " + value.remaining() + " bytes");
    }
    int mode = value.get();
    boolean isFirst = value.get() == 0 && cid.codec() == Multicodec.DAG_PB;
    String name = StandardCharsets.UTF_8.decode(value).toString();
    return new Pin(
        isFirst ? Cid.v0(cid.multihash()) : cid,
        mode == Mode.DIRECT.code ? Mode.DIRECT : Mode.RECURSIVE,
        name);
  }
}
