package dev.ashlar.raft.vertx;

import java.nio.ByteBuffer;
import java.nio.charset.StandardCharsets;
import java.security.GeneralSecurityException;
import java.security.MessageDigest;
import java.util.UUID;
import javax.crypto.Mac;
import javax.crypto.spec.SecretKeySpec;

/**
 * A secret that all members share. Each side of a connection proves to the other that it knows it,
 * by HMAC-SHA256 over both nonces and the hello; it never travels. It does not encrypt: for that
 * there is TLS.
 */
public final class ClusterSecret {

  /** No secret: whoever reaches the port is believed. */
  public static final ClusterSecret NONE = new ClusterSecret(new byte[0]);

  private static final String ALGORITHM = "HmacSHA256";

  private final byte[] secret;

  /** The secret of these bytes, which are copied; not empty. */
  public static ClusterSecret of(byte[] secret) {
    if (secret.length == 0) {
      throw new IllegalArgumentException("the cluster's secret is empty");
    }
    return new ClusterSecret(secret);
  }

  private ClusterSecret(byte[] secret) {
    this.secret = secret.clone();
  }

  /** Whether there is none. */
  boolean isNone() {
    return secret.length == 0;
  }

  /** What the side says; empty where there is no secret. */
  ByteBuffer proof(String side, ByteBuffer hello, UUID serverNonce) {
    if (secret.length == 0) {
      return ByteBuffer.allocate(0);
    }
    try {
      Mac mac = Mac.getInstance(ALGORITHM);
      mac.init(new SecretKeySpec(secret, ALGORITHM));
      mac.update(side.getBytes(StandardCharsets.US_ASCII));
      ByteBuffer nonce = ByteBuffer.allocate(16);
      Hello.put(nonce, serverNonce);
      mac.update(nonce.flip());
      mac.update(hello.duplicate());
      return ByteBuffer.wrap(mac.doFinal());
    } catch (GeneralSecurityException e) {
      throw new IllegalStateException(ALGORITHM + " is part of every JDK", e);
    }
  }

  /** Compares in constant time. */
  boolean isProof(ByteBuffer given, String side, ByteBuffer hello, UUID serverNonce) {
    ByteBuffer expected = proof(side, hello, serverNonce);
    return MessageDigest.isEqual(bytes(given), bytes(expected));
  }

  private static byte[] bytes(ByteBuffer buffer) {
    byte[] bytes = new byte[buffer.remaining()];
    buffer.duplicate().get(bytes);
    return bytes;
  }
}
