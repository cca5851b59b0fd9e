package dev.ashlar.raft.vertx;

import dev.ashlar.raft.core.MemberId;
import dev.ashlar.raft.core.Membership;
import java.nio.ByteBuffer;
import java.nio.charset.StandardCharsets;
import java.security.MessageDigest;
import java.security.NoSuchAlgorithmException;
import java.util.HashMap;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.SortedMap;
import java.util.TreeMap;
import java.util.UUID;

/**
 * What a member tells about itself before it has a cluster to talk about (docs/format.md,
 * "Discovery").
 *
 * @param member who it is
 * @param cluster its cluster, empty while it has none
 * @param addresses the initial cluster that it was started with, or where its members are
 * @param members who they are, of a cluster that is founded
 */
record Discovery(
    MemberId member, Optional<UUID> cluster, List<String> addresses, List<String> members) {

  String encode() {
    return "member="
        + member
        + "\ncluster="
        + cluster.map(UUID::toString).orElse("")
        + "\naddresses="
        + String.join(",", addresses)
        + "\nmembers="
        + String.join(",", members);
  }

  static Discovery decode(String text) {
    Map<String, String> fields = new HashMap<>();
    for (String line : text.split("\n", -1)) {
      int equals = line.indexOf('=');
      if (equals > 0) {
        fields.put(line.substring(0, equals), line.substring(equals + 1));
      }
    }
    try {
      String cluster = fields.getOrDefault("cluster", "");
      return new Discovery(
          MemberId.parse(fields.getOrDefault("member", "")),
          cluster.isEmpty() ? Optional.empty() : Optional.of(UUID.fromString(cluster)),
          Hello.split(fields.getOrDefault("addresses", "")),
          Hello.split(fields.getOrDefault("members", "")));
    } catch (IllegalArgumentException e) {
      throw new FrameException("the peer told nothing about itself that can be read");
    }
  }

  /** The first configuration, the same for all who found it. */
  static Membership first(Map<String, MemberId> founders) {
    SortedMap<MemberId, String> voters = new TreeMap<>();
    founders.forEach((address, member) -> voters.put(member, address));
    return Membership.of(voters);
  }

  /** The id of a cluster is the hash of its first configuration, so nobody chooses it. */
  static UUID clusterId(Map<String, MemberId> founders) {
    StringBuilder text = new StringBuilder();
    new TreeMap<>(founders)
        .forEach((address, member) -> text.append(address).append(' ').append(member).append('\n'));
    try {
      byte[] digest =
          MessageDigest.getInstance("SHA-256")
              .digest(text.toString().getBytes(StandardCharsets.UTF_8));
      ByteBuffer bytes = ByteBuffer.wrap(digest);
      return new UUID(bytes.getLong(), bytes.getLong());
    } catch (NoSuchAlgorithmException e) {
      throw new IllegalStateException("SHA-256 is part of every JDK", e);
    }
  }
}
