package dev.ashlar.block.root;

import dev.ashlar.block.Cid;
import dev.ashlar.block.MalformedException;
import java.nio.ByteBuffer;
import java.nio.charset.StandardCharsets;
import java.util.Arrays;
import java.util.HexFormat;

/**
 * The key of a root record: its kind, then what tells records of the kind apart. Ordered as
 * unsigned bytes, so that records of a kind are together.
 */
public final class RootKey implements Comparable<RootKey> {

  /** No key is longer, its kind included. */
  public static final int BYTES_MAX = 400;

  /** What a record is about; the codes are fixed (docs/format.md, "Roots"). */
  public enum Kind {
    /** A pin; the key goes on with the binary CIDv1. */
    PIN(1),
    /** A reference; the key goes on with its name in UTF-8. */
    REFERENCE(2),
    /** How much time had passed; the key goes on with seconds in 8 bytes. Keeps no block. */
    STAMP(3);

    private final int code;

    Kind(int code) {
      this.code = code;
    }

    /** The first byte of a key. */
    public int code() {
      return code;
    }

    /** Whether a record of the kind keeps blocks from being collected. */
    public boolean keepsBlocks() {
      return this != STAMP;
    }
  }

  private final byte[] bytes;
  private final Kind kind;

  private RootKey(Kind kind, byte[] bytes) {
    this.kind = kind;
    this.bytes = bytes;
  }

  /** The key of a kind and what follows. */
  public static RootKey of(Kind kind, byte[] rest) {
    if (rest.length >= BYTES_MAX) {
      throw new MalformedException(
          "a key of " + (rest.length + 1) + " bytes is longer than " + BYTES_MAX);
    }
    byte[] bytes = new byte[rest.length + 1];
    bytes[0] = (byte) kind.code;
    System.arraycopy(rest, 0, bytes, 1, rest.length);
    return new RootKey(kind, bytes);
  }

  /** The key of the pin of a CID; both versions of a CID have the same one. */
  public static RootKey pin(Cid cid) {
    return of(Kind.PIN, Cid.v1(cid.codec(), cid.multihash()).toBytes());
  }

  /** The key of a reference. */
  public static RootKey reference(String name) {
    return of(Kind.REFERENCE, name.getBytes(StandardCharsets.UTF_8));
  }

  /** The key of a stamp. */
  public static RootKey stamp(long seconds) {
    return of(Kind.STAMP, ByteBuffer.allocate(Long.BYTES).putLong(seconds).array());
  }

  /**
   * The key of these bytes.
   *
   * @throws MalformedException when they are too many, or of no kind that is known
   */
  public static RootKey decode(byte[] bytes) {
    for (Kind kind : Kind.values()) {
      if (bytes.length > 0 && bytes.length <= BYTES_MAX && bytes[0] == kind.code) {
        return new RootKey(kind, bytes.clone());
      }
    }
    throw new MalformedException("a root key of no kind that is known");
  }

  /** What the record is about. */
  public Kind kind() {
    return kind;
  }

  /** The whole key, kind first. */
  public byte[] toBytes() {
    return bytes.clone();
  }

  /** What follows the kind. */
  public byte[] rest() {
    return Arrays.copyOfRange(bytes, 1, bytes.length);
  }

  /** Whether the key begins with another one. */
  public boolean startsWith(RootKey prefix) {
    return bytes.length >= prefix.bytes.length
        && Arrays.equals(bytes, 0, prefix.bytes.length, prefix.bytes, 0, prefix.bytes.length);
  }

  /** How many bytes it has. */
  public int size() {
    return bytes.length;
  }

  @Override
  public int compareTo(RootKey other) {
    return Arrays.compareUnsigned(bytes, other.bytes);
  }

  @Override
  public boolean equals(Object other) {
    return other instanceof RootKey key && Arrays.equals(bytes, key.bytes);
  }

  @Override
  public int hashCode() {
    return Arrays.hashCode(bytes);
  }

  @Override
  public String toString() {
    return kind + ":" + HexFormat.of().formatHex(bytes, 1, bytes.length);
  }
}
