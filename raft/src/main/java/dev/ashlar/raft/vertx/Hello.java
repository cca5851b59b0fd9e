package dev.ashlar.raft.vertx;

import dev.ashlar.raft.core.MemberId;
import java.nio.BufferUnderflowException;
import java.nio.ByteBuffer;
import java.nio.charset.StandardCharsets;
import java.util.ArrayList;
import java.util.List;
import java.util.UUID;

/**
 * The first frame of a connection (docs/format.md, "Handshake").
 *
 * @param version of the protocol
 * @param purpose what the connection is for
 * @param features what the sender knows beyond the version, a bit each
 * @param cluster the sender's cluster, {@link #NOBODY} where it has none
 * @param from the sender
 * @param to who is meant, {@link #NOBODY} where that is not known
 * @param address where the sender is reached
 * @param addresses of a founding member: the initial cluster
 * @param nonce at random, for the proof of a shared secret
 */
record Hello(
    int version,
    Purpose purpose,
    long features,
    UUID cluster,
    MemberId from,
    MemberId to,
    String address,
    List<String> addresses,
    UUID nonce) {

  static final int VERSION = 1;
  static final UUID NOBODY = new UUID(0, 0);
  private static final int MAGIC = 0x4153484c; // "ASHL"

  /** What a connection is for. */
  enum Purpose {
    CONTROL(1),
    LOG(2),
    BULK(3),
    DISCOVER(4),
    JOIN(5),
    STATUS(6);

    private final int code;

    Purpose(int code) {
      this.code = code;
    }

    /** Whether it ends with one answer, instead of being a lane. */
    boolean isQuestion() {
      return this == DISCOVER || this == JOIN || this == STATUS;
    }
  }

  Hello {
    addresses = List.copyOf(addresses);
  }

  ByteBuffer encode() {
    byte[] list = String.join(",", addresses).getBytes(StandardCharsets.UTF_8);
    byte[] place = address.getBytes(StandardCharsets.UTF_8);
    ByteBuffer out =
        ByteBuffer.allocate(4 + 2 + 1 + 8 + 4 * 16 + 2 + place.length + 4 + list.length)
            .putInt(MAGIC)
            .putShort((short) version)
            .put((byte) purpose.code)
            .putLong(features);
    put(out, cluster);
    put(out, from.uuid());
    put(out, to.uuid());
    put(out, nonce);
    return out.putShort((short) place.length).put(place).putInt(list.length).put(list).flip();
  }

  /** Throws {@link FrameException} for anything else than a hello, or one of another version. */
  static Hello decode(ByteBuffer bytes) {
    ByteBuffer in = bytes.duplicate();
    try {
      if (in.getInt() != MAGIC) {
        throw new FrameException("this is not the protocol of Ashlar's members");
      }
      int version = in.getShort() & 0xffff;
      if (version != VERSION) {
        throw new FrameException(
            "the peer speaks version "
                + version
                + " of the protocol and this member version "
                + VERSION
                + ": run the same release on all members");
      }
      Purpose purpose = purpose(in.get());
      long features = in.getLong();
      UUID cluster = uuid(in);
      MemberId from = new MemberId(uuid(in));
      MemberId to = new MemberId(uuid(in));
      UUID nonce = uuid(in);
      byte[] place = new byte[in.getShort() & 0xffff];
      in.get(place);
      int length = in.getInt();
      if (length < 0 || length != in.remaining()) {
        throw new FrameException("a hello is cut off");
      }
      byte[] list = new byte[length];
      in.get(list);
      return new Hello(
          version,
          purpose,
          features,
          cluster,
          from,
          to,
          new String(place, StandardCharsets.UTF_8),
          split(new String(list, StandardCharsets.UTF_8)),
          nonce);
    } catch (BufferUnderflowException e) {
      throw new FrameException("a hello is cut off");
    }
  }

  static void put(ByteBuffer out, UUID id) {
    out.putLong(id.getMostSignificantBits()).putLong(id.getLeastSignificantBits());
  }

  static UUID uuid(ByteBuffer in) {
    return new UUID(in.getLong(), in.getLong());
  }

  static List<String> split(String list) {
    List<String> parts = new ArrayList<>();
    for (String part : list.split(",", -1)) {
      if (!part.isBlank()) {
        parts.add(part.trim());
      }
    }
    return parts;
  }

  private static Purpose purpose(int code) {
    for (Purpose purpose : Purpose.values()) {
      if (purpose.code == code) {
        return purpose;
      }
    }
    throw new FrameException("a connection for purpose " + code + " is not known");
  }
}
