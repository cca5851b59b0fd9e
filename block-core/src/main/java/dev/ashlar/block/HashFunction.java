package dev.ashlar.block;

import java.util.HashMap;
import java.util.Map;
import java.util.Optional;
import java.util.function.Supplier;
import org.bouncycastle.crypto.digests.Blake2bDigest;
import org.bouncycastle.crypto.digests.Blake2sDigest;
import org.bouncycastle.crypto.digests.Blake3Digest;
import org.bouncycastle.crypto.digests.KeccakDigest;

/**
 * The hash functions that Ashlar computes and therefore verifies. Others are refused by name, for a
 * block that nobody can check proves nothing. Identity is not among them: an identity CID carries
 * its bytes, see {@link Multihash#isIdentity()}.
 */
public final class HashFunction {

  /** A digest that is cut shorter than this proves too little. */
  public static final int DIGEST_BYTES_MIN = 20;

  private static final Map<Long, HashFunction> BY_CODE = new HashMap<>();

  /** SHA-2 with 256 bits: what IPFS uses unless told otherwise. */
  public static final HashFunction SHA2_256 = jdk(0x12, "SHA-256", 32);

  /** SHA-1, for git objects. */
  public static final HashFunction SHA1 = jdk(0x11, "SHA-1", 20);

  /** SHA-2 with 512 bits. */
  public static final HashFunction SHA2_512 = jdk(0x13, "SHA-512", 64);

  /** BLAKE3 with its default length of 256 bits. */
  public static final HashFunction BLAKE3 =
      add(0x1e, 32, () -> Digest.ofBouncyCastle(new Blake3Digest(256)));

  /** BLAKE2b with 256 bits. */
  public static final HashFunction BLAKE2B_256;

  static {
    jdk(0x14, "SHA3-512", 64);
    jdk(0x15, "SHA3-384", 48);
    jdk(0x16, "SHA3-256", 32);
    jdk(0x17, "SHA3-224", 28);
    add(0x56, 32, Digest::doubleSha256);
    int[] keccakBits = {224, 256, 384, 512};
    for (int i = 0; i < keccakBits.length; i++) {
      int bits = keccakBits[i];
      add(0x1a + i, bits / 8, () -> Digest.ofBouncyCastle(new KeccakDigest(bits)));
    }
    for (int bytes = DIGEST_BYTES_MIN; bytes <= 64; bytes++) {
      int bits = 8 * bytes;
      add(0xb200 + bytes, bytes, () -> Digest.ofBouncyCastle(new Blake2bDigest(bits)));
    }
    for (int bytes = DIGEST_BYTES_MIN; bytes <= 32; bytes++) {
      int bits = 8 * bytes;
      add(0xb240 + bytes, bytes, () -> Digest.ofBouncyCastle(new Blake2sDigest(bits)));
    }
    BLAKE2B_256 = withCode(0xb220).orElseThrow();
  }

  private final long code;
  private final String name;
  private final int digestBytes;
  private final Supplier<Digest> digests;

  private HashFunction(long code, int digestBytes, Supplier<Digest> digests) {
    this.code = code;
    this.name = Multicodec.nameOf(code);
    this.digestBytes = digestBytes;
    this.digests = digests;
  }

  /** The function with this multihash code, where Ashlar computes it. */
  public static Optional<HashFunction> withCode(long code) {
    return Optional.ofNullable(BY_CODE.get(code));
  }

  /**
   * The function that verifies digests of a multihash.
   *
   * @throws UnsupportedHashException when Ashlar does not compute it, or its digest is too short
   */
  public static HashFunction of(Multihash multihash) {
    HashFunction function = BY_CODE.get(multihash.code());
    if (function == null) {
      throw new UnsupportedHashException(
          "hash function "
              + Multicodec.nameOf(multihash.code())
              + " is not supported: Ashlar does not compute it, so it cannot verify the block");
    }
    if (multihash.digestBytes() < DIGEST_BYTES_MIN
        || multihash.digestBytes() > function.digestBytes) {
      throw new UnsupportedHashException(
          "a "
              + function.name
              + " digest has "
              + DIGEST_BYTES_MIN
              + " to "
              + function.digestBytes
              + " bytes, not "
              + multihash.digestBytes());
    }
    return function;
  }

  /**
   * The function that a user named: a name of the multicodec table, or a code.
   *
   * @throws MalformedException when nothing is called so
   * @throws UnsupportedHashException when Ashlar does not compute it
   */
  public static HashFunction parse(String nameOrNumber) {
    HashFunction function = BY_CODE.get(Multicodec.parse(nameOrNumber));
    if (function == null) {
      throw new UnsupportedHashException(
          "hash function " + nameOrNumber + " is not supported: Ashlar does not compute it");
    }
    return function;
  }

  /** The multihash code. */
  public long code() {
    return code;
  }

  /** The name in the multicodec table, such as {@code sha2-256}. */
  public String name() {
    return name;
  }

  /** The length of a whole digest, in bytes. */
  public int digestBytes() {
    return digestBytes;
  }

  @Override
  public String toString() {
    return name;
  }

  Digest newDigest() {
    return digests.get();
  }

  private static HashFunction jdk(long code, String algorithm, int digestBytes) {
    return add(code, digestBytes, () -> Digest.ofJdk(algorithm));
  }

  private static HashFunction add(long code, int digestBytes, Supplier<Digest> digests) {
    HashFunction function = new HashFunction(code, digestBytes, digests);
    BY_CODE.put(code, function);
    return function;
  }
}
