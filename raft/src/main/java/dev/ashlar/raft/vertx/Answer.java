package dev.ashlar.raft.vertx;

import dev.ashlar.raft.core.MemberId;
import java.nio.BufferUnderflowException;
import java.nio.ByteBuffer;
import java.nio.charset.StandardCharsets;
import java.util.UUID;

/**
 * What the receiver of a {@link Hello} says, as challenge and as welcome.
 *
 * @param status 0 for welcome, else why not
 * @param member who answers
 * @param cluster the cluster of who answers, {@link Hello#NOBODY} where it has none
 * @param nonce at random
 * @param proof that the secret is known, empty where there is none
 * @param text why not; or what was asked for
 */
record Answer(
    int status, MemberId member, UUID cluster, UUID nonce, ByteBuffer proof, String text) {

  static final int WELCOME = 0;
  static final int REFUSED = 1;

  ByteBuffer encode() {
    byte[] said = text.getBytes(StandardCharsets.UTF_8);
    ByteBuffer out =
        ByteBuffer.allocate(1 + 3 * 16 + 2 + proof.remaining() + said.length).put((byte) status);
    Hello.put(out, member.uuid());
    Hello.put(out, cluster);
    Hello.put(out, nonce);
    return out.putShort((short) proof.remaining()).put(proof.duplicate()).put(said).flip();
  }

  static Answer decode(ByteBuffer bytes) {
    ByteBuffer in = bytes.duplicate();
    try {
      int status = in.get();
      MemberId member = new MemberId(Hello.uuid(in));
      UUID cluster = Hello.uuid(in);
      UUID nonce = Hello.uuid(in);
      byte[] proof = new byte[in.getShort() & 0xffff];
      in.get(proof);
      byte[] said = new byte[in.remaining()];
      in.get(said);
      return new Answer(
          status,
          member,
          cluster,
          nonce,
          ByteBuffer.wrap(proof),
          new String(said, StandardCharsets.UTF_8));
    } catch (BufferUnderflowException e) {
      throw new FrameException("the answer is not that of a member of Ashlar");
    }
  }
}
