package dev.ashlar.block;

import java.nio.ByteBuffer;
import java.util.Arrays;

/**
 * A digest that names its hash function: varint code, varint length, digest (multihash
 * specification). It is the identity of stored bytes, whatever codec or version a CID puts around
 * it. Immutable; equal by value; ordered by its bytes, unsigned.
 */
public final class Multihash implements Comparable<Multihash> {

  /** The code of the identity "function", whose digest is the data. */
  public static final long IDENTITY = 0x00;

  /** The longest digest that is read at all, identity among them. */
  public static final int DIGEST_BYTES_MAX = 128;

  private final byte[] encoded;
  private final int digestOffset;
  private final int hash;

  private Multihash(byte[] encoded, int digestOffset) {
    this.encoded = encoded;
    this.digestOffset = digestOffset;
    this.hash = Arrays.hashCode(encoded);
  }

  /** The multihash of a digest, which is copied. */
  public static Multihash of(long code, byte[] digest) {
    if (digest.length > DIGEST_BYTES_MAX) {
      throw new MalformedException(
          "a digest of " + digest.length + " bytes is longer than " + DIGEST_BYTES_MAX, 0);
    }
    int digestOffset = UnsignedVarint.size(code) + UnsignedVarint.size(digest.length);
    ByteBuffer encoded = ByteBuffer.allocate(digestOffset + digest.length);
    UnsignedVarint.write(code, encoded);
    UnsignedVarint.write(digest.length, encoded);
    encoded.put(digest);
    return new Multihash(encoded.array(), digestOffset);
  }

  /**
   * The multihash that these bytes are, to the last one.
   *
   * @throws MalformedException when they are not
   */
  public static Multihash decode(byte[] bytes) {
    ByteBuffer source = ByteBuffer.wrap(bytes);
    Multihash multihash = read(source);
    if (source.hasRemaining()) {
      throw new MalformedException("bytes follow the multihash", source.position());
    }
    return multihash;
  }

  /**
   * Reads a multihash at the buffer's position and moves it on.
   *
   * @throws MalformedException when it is cut off, too long, or not minimally encoded
   */
  public static Multihash read(ByteBuffer source) {
    int start = source.position();
    UnsignedVarint.read(source);
    int lengthAt = source.position();
    long digestBytes = UnsignedVarint.read(source);
    if (digestBytes > DIGEST_BYTES_MAX) {
      throw new MalformedException(
          "a digest of " + digestBytes + " bytes is longer than " + DIGEST_BYTES_MAX, lengthAt);
    }
    if (digestBytes > source.remaining()) {
      throw new MalformedException(
          "the digest is cut off: "
              + digestBytes
              + " bytes are announced and "
              + source.remaining()
              + " follow",
          source.position());
    }
    int digestOffset = source.position() - start;
    byte[] encoded = new byte[digestOffset + (int) digestBytes];
    source.get(start, encoded);
    source.position(start + encoded.length);
    return new Multihash(encoded, digestOffset);
  }

  /** The hash function's code in the multicodec table. */
  public long code() {
    return UnsignedVarint.read(ByteBuffer.wrap(encoded));
  }

  /** Whether the digest is the data itself. */
  public boolean isIdentity() {
    return encoded[0] == IDENTITY;
  }

  /** The digest's length in bytes. */
  public int digestBytes() {
    return encoded.length - digestOffset;
  }

  /** The digest, a copy. */
  public byte[] digest() {
    return Arrays.copyOfRange(encoded, digestOffset, encoded.length);
  }

  /** The binary form, a copy. */
  public byte[] toBytes() {
    return encoded.clone();
  }

  /** How many bytes the binary form has. */
  public int size() {
    return encoded.length;
  }

  /** Writes the binary form at the buffer's position and moves it on. */
  public void writeTo(ByteBuffer target) {
    target.put(encoded);
  }

  /** Whether the digest begins the given one: a multihash may cut a digest short. */
  boolean isPrefixOf(byte[] wholeDigest) {
    int length = digestBytes();
    return length <= wholeDigest.length
        && Arrays.equals(encoded, digestOffset, encoded.length, wholeDigest, 0, length);
  }

  @Override
  public int compareTo(Multihash other) {
    return Arrays.compareUnsigned(encoded, other.encoded);
  }

  @Override
  public boolean equals(Object other) {
    return other instanceof Multihash that
        && hash == that.hash
        && Arrays.equals(encoded, that.encoded);
  }

  @Override
  public int hashCode() {
    return hash;
  }

  /** The binary form in hexadecimal. */
  @Override
  public String toString() {
    return Multibase.BASE16.encodeBare(encoded);
  }
}
