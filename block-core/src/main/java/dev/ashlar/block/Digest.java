package dev.ashlar.block;

import java.nio.ByteBuffer;
import java.security.MessageDigest;
import java.security.NoSuchAlgorithmException;
import org.bouncycastle.crypto.ExtendedDigest;

/** A hash computation under way. Not safe for more than one thread. */
abstract sealed class Digest {

  /** Takes all that remains in the buffer. */
  abstract void update(ByteBuffer bytes);

  /** The digest, in the function's full length; afterwards this is of no more use. */
  abstract byte[] finish();

  static Digest ofJdk(String algorithm) {
    return new Jdk(algorithm);
  }

  static Digest ofBouncyCastle(ExtendedDigest digest) {
    return new BouncyCastle(digest);
  }

  /** SHA-256 of the SHA-256. */
  static Digest doubleSha256() {
    return new DoubleSha256();
  }

  /** Functions that the JDK has, in native code where the processor helps. */
  private static final class Jdk extends Digest {
    private final MessageDigest digest;

    Jdk(String algorithm) {
      try {
        digest = MessageDigest.getInstance(algorithm);
      } catch (NoSuchAlgorithmException e) {
        throw new IllegalStateException("this JDK lacks " + algorithm, e);
      }
    }

    @Override
    void update(ByteBuffer bytes) {
      digest.update(bytes);
    }

    @Override
    byte[] finish() {
      return digest.digest();
    }
  }

  private static final class DoubleSha256 extends Digest {
    private final Jdk inner = new Jdk("SHA-256");

    @Override
    void update(ByteBuffer bytes) {
      inner.update(bytes);
    }

    @Override
    byte[] finish() {
      Jdk outer = new Jdk("SHA-256");
      outer.update(ByteBuffer.wrap(inner.finish()));
      return outer.finish();
    }
  }

  /** Functions that the JDK has not. They read arrays, so a direct buffer goes through one. */
  private static final class BouncyCastle extends Digest {
    private static final int CHUNK_BYTES = 8192;
    private final ExtendedDigest digest;

    BouncyCastle(ExtendedDigest digest) {
      this.digest = digest;
    }

    @Override
    void update(ByteBuffer bytes) {
      if (bytes.hasArray()) {
        digest.update(bytes.array(), bytes.arrayOffset() + bytes.position(), bytes.remaining());
        bytes.position(bytes.limit());
        return;
      }
      byte[] chunk = new byte[Math.min(CHUNK_BYTES, bytes.remaining())];
      while (bytes.hasRemaining()) {
        int length = Math.min(chunk.length, bytes.remaining());
        bytes.get(chunk, 0, length);
        digest.update(chunk, 0, length);
      }
    }

    @Override
    byte[] finish() {
      byte[] result = new byte[digest.getDigestSize()];
      digest.doFinal(result, 0);
      return result;
    }
  }
}
