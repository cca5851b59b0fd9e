package dev.ashlar.block;

import java.nio.ByteBuffer;
import java.util.Optional;

/**
 * A content identifier (CID specification): what the bytes are called everywhere and for ever.
 *
 * <p>Version 0 is a bare sha2-256 multihash, written in base58btc; its codec is dag-pb. Version 1
 * adds the codec and is written in any {@link Multibase}, base32 unless told otherwise. Both name
 * the same bytes when their multihashes are equal; as values they differ.
 *
 * <p>Immutable, equal by value, safe for any thread. To and from other libraries: {@link
 * #toBytes()} and {@link #decode(byte[])}.
 */
public final class Cid {

  /** Longer texts are refused before they are decoded. */
  public static final int TEXT_CHARS_MAX = 512;

  private static final int V0_TEXT_CHARS = 46;
  private static final byte[] V0_START = {0x12, 0x20};

  private final Multihash multihash;
  private final long codec;
  private final boolean version0;

  private Cid(boolean version0, long codec, Multihash multihash) {
    this.version0 = version0;
    this.codec = codec;
    this.multihash = multihash;
  }

  /**
   * The version 0 CID of a multihash.
   *
   * @throws MalformedException when it is not a sha2-256 of 32 bytes
   */
  public static Cid v0(Multihash multihash) {
    if (!fitsVersion0(multihash)) {
      throw new MalformedException("CIDv0 has a sha2-256 of 32 bytes, not " + multihash, 0);
    }
    return new Cid(true, Multicodec.DAG_PB, multihash);
  }

  /** The version 1 CID of a codec and a multihash. */
  public static Cid v1(long codec, Multihash multihash) {
    if (codec < 0) {
      throw new IllegalArgumentException("a codec is 0 to 2^63-1, not " + codec);
    }
    return new Cid(false, codec, multihash);
  }

  /**
   * The CID that a text is.
   *
   * @throws MalformedException when it is not one; the offset counts characters while the text is
   *     decoded, and bytes of what it decodes to afterwards
   */
  public static Cid parse(String text) {
    if (text.length() > TEXT_CHARS_MAX) {
      throw new MalformedException(
          "a CID of " + text.length() + " characters is longer than " + TEXT_CHARS_MAX,
          TEXT_CHARS_MAX);
    }
    if (text.length() == V0_TEXT_CHARS && text.startsWith("Qm")) {
      return decode(Multibase.BASE58_BTC.decodeBare(text));
    }
    if (text.length() < 2) {
      throw new MalformedException("a CID has more than " + text.length() + " characters", 0);
    }
    byte[] bytes = Multibase.decode(text);
    if (bytes.length > 0 && bytes[0] == V0_START[0]) {
      throw new MalformedException("CIDv0 is written without a multibase prefix", 0);
    }
    return decode(bytes);
  }

  /**
   * The CID that these bytes are, to the last one.
   *
   * @throws MalformedException when they are not
   */
  public static Cid decode(byte[] bytes) {
    ByteBuffer source = ByteBuffer.wrap(bytes);
    Cid cid = read(source);
    if (source.hasRemaining()) {
      throw new MalformedException("bytes follow the CID", source.position());
    }
    return cid;
  }

  /**
   * Reads a binary CID at the buffer's position and moves it on (CID specification, "Decoding
   * Algorithm").
   *
   * @throws MalformedException when it is not one
   */
  public static Cid read(ByteBuffer source) {
    int start = source.position();
    if (source.remaining() >= 2
        && source.get(start) == V0_START[0]
        && source.get(start + 1) == V0_START[1]) {
      return v0(Multihash.read(source));
    }
    long version = UnsignedVarint.read(source);
    if (version != 1) {
      throw new MalformedException("a CID has version 0 or 1, not " + version, start);
    }
    long codec = UnsignedVarint.read(source);
    return new Cid(false, codec, Multihash.read(source));
  }

  /** 0 or 1. */
  public int version() {
    return version0 ? 0 : 1;
  }

  /** The code of the content type; dag-pb for version 0. */
  public long codec() {
    return codec;
  }

  /** What identifies the bytes. */
  public Multihash multihash() {
    return multihash;
  }

  /** Whether the CID carries its bytes inline. */
  public boolean isIdentity() {
    return multihash.isIdentity();
  }

  /** The same content as version 1. */
  public Cid toV1() {
    return version0 ? new Cid(false, codec, multihash) : this;
  }

  /** The same content as version 0, where that can say it: dag-pb and a sha2-256 of 32 bytes. */
  public Optional<Cid> toV0() {
    if (version0) {
      return Optional.of(this);
    }
    return codec == Multicodec.DAG_PB && fitsVersion0(multihash)
        ? Optional.of(new Cid(true, codec, multihash))
        : Optional.empty();
  }

  /** The same multihash under another codec, as version 1. */
  public Cid withCodec(long otherCodec) {
    return v1(otherCodec, multihash);
  }

  /** The binary form. */
  public byte[] toBytes() {
    ByteBuffer target = ByteBuffer.allocate(size());
    writeTo(target);
    return target.array();
  }

  /** How many bytes the binary form has. */
  public int size() {
    return version0 ? multihash.size() : 1 + UnsignedVarint.size(codec) + multihash.size();
  }

  /** Writes the binary form at the buffer's position and moves it on. */
  public void writeTo(ByteBuffer target) {
    if (!version0) {
      target.put((byte) 1);
      UnsignedVarint.write(codec, target);
    }
    multihash.writeTo(target);
  }

  /**
   * The text in a chosen encoding.
   *
   * @throws IllegalArgumentException for version 0 in anything but base58btc
   */
  public String toString(Multibase base) {
    if (version0) {
      if (base != Multibase.BASE58_BTC) {
        throw new IllegalArgumentException("CIDv0 is written in base58btc only");
      }
      return base.encodeBare(toBytes());
    }
    return base.encode(toBytes());
  }

  /** The canonical text: base58btc without a prefix for version 0, base32 for version 1. */
  @Override
  public String toString() {
    return toString(version0 ? Multibase.BASE58_BTC : Multibase.BASE32);
  }

  @Override
  public boolean equals(Object other) {
    return other instanceof Cid that
        && version0 == that.version0
        && codec == that.codec
        && multihash.equals(that.multihash);
  }

  @Override
  public int hashCode() {
    return 31 * multihash.hashCode() + Long.hashCode(codec) + (version0 ? 1 : 0);
  }

  private static boolean fitsVersion0(Multihash multihash) {
    return multihash.code() == HashFunction.SHA2_256.code()
        && multihash.digestBytes() == HashFunction.SHA2_256.digestBytes();
  }
}
