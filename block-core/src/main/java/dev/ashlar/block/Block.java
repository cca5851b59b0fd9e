package dev.ashlar.block;

import java.nio.ByteBuffer;
import java.util.zip.CRC32C;

/**
 * Bytes and the CID that they hash to. There is no way to make one whose bytes do not match.
 *
 * <p>Ownership: the bytes are not copied. Whoever makes a block from a buffer hands that buffer
 * over and does not change it afterwards; a change is found by the CRC32C that was made with the
 * hash, at the latest when a store appends the block. {@link #copyOf} is for callers that keep
 * their array.
 *
 * <p>Immutable, safe for any thread, equal by CID.
 */
public final class Block {

  /** The largest block that any store takes, whatever its options say, in bytes. */
  public static final int BYTES_MAX = 16 << 20;

  /** The limit unless told otherwise, in bytes: what IPFS clients accept. */
  public static final int BYTES_MAX_DEFAULT = 2 << 20;

  private final Cid cid;
  private final ByteBuffer bytes;
  private final int crc32c;

  private Block(Cid cid, ByteBuffer bytes, int crc32c) {
    this.cid = cid;
    this.bytes = bytes;
    this.crc32c = crc32c;
  }

  /** A raw block hashed with sha2-256, of a copy of these bytes. */
  public static Block copyOf(byte[] bytes) {
    return of(Multicodec.RAW, HashFunction.SHA2_256, ByteBuffer.wrap(bytes.clone()));
  }

  /**
   * The block of what remains in the buffer, which now belongs to it.
   *
   * @throws BlockTooLargeException above {@link #BYTES_MAX}
   */
  public static Block of(long codec, HashFunction function, ByteBuffer bytes) {
    requireSize(bytes.remaining());
    BlockHasher hasher = new BlockHasher(function);
    hasher.update(bytes);
    return ofHashed(codec, bytes, hasher);
  }

  /**
   * The block of what remains in the buffer, which now belongs to it, if it hashes to the CID.
   *
   * @throws HashMismatchException when it does not
   * @throws UnsupportedHashException when Ashlar does not compute the CID's hash function
   * @throws BlockTooLargeException above {@link #BYTES_MAX}
   */
  public static Block verified(Cid cid, ByteBuffer bytes) {
    requireSize(bytes.remaining());
    if (cid.isIdentity()) {
      if (!bytes.equals(ByteBuffer.wrap(cid.multihash().digest()))) {
        byte[] actual = new byte[Math.min(bytes.remaining(), Multihash.DIGEST_BYTES_MAX)];
        bytes.duplicate().get(actual);
        throw new HashMismatchException(cid, Multihash.of(Multihash.IDENTITY, actual));
      }
      return inline(cid);
    }
    BlockHasher hasher = new BlockHasher(HashFunction.of(cid.multihash()));
    hasher.update(bytes);
    return ofHashed(cid, bytes, hasher);
  }

  /**
   * The block of a buffer that a hasher has seen to the end, which now belongs to the block.
   *
   * @param cid what the bytes should hash to
   * @param bytes all bytes that the hasher took, and no others
   * @throws HashMismatchException when the hasher comes to another digest
   */
  static Block ofHashed(Cid cid, ByteBuffer bytes, BlockHasher hasher) {
    Multihash actual = hasher.finishAs(cid.multihash());
    if (!actual.equals(cid.multihash())) {
      throw new HashMismatchException(cid, actual);
    }
    return new Block(cid, bytes.slice().asReadOnlyBuffer(), hasher.crc32c());
  }

  /** As above, named by what the hasher comes to. */
  static Block ofHashed(long codec, ByteBuffer bytes, BlockHasher hasher) {
    Cid cid = Cid.v1(codec, hasher.finish());
    return new Block(cid, bytes.slice().asReadOnlyBuffer(), hasher.crc32c());
  }

  /** The block that an identity CID carries inline. */
  public static Block inline(Cid cid) {
    if (!cid.isIdentity()) {
      throw new IllegalArgumentException(cid + " carries no bytes inline");
    }
    ByteBuffer bytes = ByteBuffer.wrap(cid.multihash().digest()).asReadOnlyBuffer();
    return new Block(cid, bytes, checksum(bytes));
  }

  /**
   * The block that a store reads back. The bytes were hashed when they entered; that they are still
   * the same is shown by the CRC32C that was made with that hash and kept apart from them.
   *
   * <p>For storage engines only: everybody else has {@link #verified}.
   *
   * @throws BlockDamagedException when the bytes do not have this CRC32C
   */
  public static Block stored(Cid cid, ByteBuffer bytes, int crc32c) {
    if (checksum(bytes) != crc32c) {
      throw new BlockDamagedException(cid, "its bytes do not have the checksum they had");
    }
    return new Block(cid, bytes.slice().asReadOnlyBuffer(), crc32c);
  }

  /** The CRC32C of what remains in the buffer, which stays as it is. */
  public static int checksum(ByteBuffer bytes) {
    CRC32C crc = new CRC32C();
    crc.update(bytes.duplicate());
    return (int) crc.getValue();
  }

  /** What the bytes are called. */
  public Cid cid() {
    return cid;
  }

  /** The bytes, read-only, as a view of its own whose position is 0. */
  public ByteBuffer bytes() {
    return bytes.duplicate();
  }

  /** The bytes, copied. */
  public byte[] toByteArray() {
    byte[] copy = new byte[bytes.remaining()];
    bytes.get(0, copy);
    return copy;
  }

  /** How many bytes. */
  public int size() {
    return bytes.remaining();
  }

  /** The CRC32C of the bytes, made in the pass that hashed them. */
  public int crc32c() {
    return crc32c;
  }

  @Override
  public boolean equals(Object other) {
    return other instanceof Block that && cid.equals(that.cid);
  }

  @Override
  public int hashCode() {
    return cid.hashCode();
  }

  @Override
  public String toString() {
    return "Block[" + cid + ", " + size() + " bytes]";
  }

  private static void requireSize(int size) {
    if (size > BYTES_MAX) {
      throw new BlockTooLargeException(size, BYTES_MAX);
    }
  }
}
