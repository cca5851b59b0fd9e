package dev.ashlar.http;

import dev.ashlar.block.Multibase;
import dev.ashlar.block.Multihash;
import java.nio.ByteBuffer;
import java.security.KeyPairGenerator;
import java.security.NoSuchAlgorithmException;
import java.util.Base64;

/**
 * What this server says that it is, where a client asks for a libp2p peer: the peer id of an
 * Ed25519 key made at start, which signs nothing (peer id specification, "Ed25519").
 *
 * @param agent name and version
 * @param peerId base58btc of the key's identity multihash
 * @param publicKey the key as libp2p writes it, in base64
 */
record Identity(String agent, String peerId, String publicKey) {

  private static final byte[] KEY_PREFIX = {0x08, 0x01, 0x12, 0x20};
  private static final int KEY_BYTES = 32;

  static Identity create(String agent) {
    try {
      byte[] encoded =
          KeyPairGenerator.getInstance("Ed25519").generateKeyPair().getPublic().getEncoded();
      byte[] key =
          ByteBuffer.allocate(KEY_PREFIX.length + KEY_BYTES)
              .put(KEY_PREFIX)
              .put(encoded, encoded.length - KEY_BYTES, KEY_BYTES)
              .array();
      return new Identity(
          agent,
          Multibase.BASE58_BTC.encodeBare(Multihash.of(Multihash.IDENTITY, key).toBytes()),
          Base64.getEncoder().encodeToString(key));
    } catch (NoSuchAlgorithmException e) {
      throw new IllegalStateException("this JDK lacks Ed25519", e);
    }
  }
}
