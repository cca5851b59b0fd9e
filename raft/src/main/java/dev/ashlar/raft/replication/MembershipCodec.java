package dev.ashlar.raft.replication;

import dev.ashlar.block.MalformedException;
import dev.ashlar.raft.core.MemberId;
import dev.ashlar.raft.core.Membership;
import java.nio.BufferUnderflowException;
import java.nio.ByteBuffer;
import java.nio.charset.StandardCharsets;
import java.util.Optional;
import java.util.Set;
import java.util.TreeMap;
import java.util.TreeSet;
import java.util.UUID;

/** The binary form of a membership (docs/format.md, "Configuration"). */
public final class MembershipCodec {

  private static final int VERSION = 1;
  private static final int VOTER = 1;
  private static final int OUTGOING = 2;
  private static final int LEARNER = 4;
  private static final int TARGET_VOTER = 8;
  private static final int TARGET_LEARNER = 16;

  private MembershipCodec() {}

  /** The bytes of a membership, from position 0 to the limit. */
  public static ByteBuffer encode(Membership membership) {
    TreeMap<MemberId, byte[]> addresses = new TreeMap<>();
    int bytes = 4;
    for (MemberId member : membership.addresses().keySet()) {
      byte[] address = membership.addresses().get(member).getBytes(StandardCharsets.UTF_8);
      addresses.put(member, address);
      bytes += 16 + 1 + 2 + address.length;
    }
    ByteBuffer target = ByteBuffer.allocate(bytes);
    target.put((byte) VERSION);
    target.put((byte) (membership.target().isPresent() ? 1 : 0));
    target.putShort((short) addresses.size());
    addresses.forEach(
        (member, address) ->
            target
                .putLong(member.uuid().getMostSignificantBits())
                .putLong(member.uuid().getLeastSignificantBits())
                .put((byte) roles(membership, member))
                .putShort((short) address.length)
                .put(address));
    return target.flip();
  }

  /**
   * The membership of these bytes, all of them.
   *
   * @throws MalformedException when they are none, or of a version that is not known
   */
  public static Membership decode(ByteBuffer bytes) {
    ByteBuffer source = bytes.slice();
    try {
      int version = source.get();
      if (version != VERSION) {
        throw new MalformedException("a membership of version " + version + " is not known", 0);
      }
      boolean hasTarget = source.get() == 1;
      int count = source.getShort() & 0xffff;
      TreeSet<MemberId> voters = new TreeSet<>();
      TreeSet<MemberId> outgoing = new TreeSet<>();
      TreeSet<MemberId> learners = new TreeSet<>();
      TreeSet<MemberId> targetVoters = new TreeSet<>();
      TreeSet<MemberId> targetLearners = new TreeSet<>();
      TreeMap<MemberId, String> addresses = new TreeMap<>();
      for (int i = 0; i < count; i++) {
        MemberId member = new MemberId(new UUID(source.getLong(), source.getLong()));
        int roles = source.get();
        byte[] address = new byte[source.getShort() & 0xffff];
        source.get(address);
        addresses.put(member, new String(address, StandardCharsets.UTF_8));
        addIf(voters, member, roles, VOTER);
        addIf(outgoing, member, roles, OUTGOING);
        addIf(learners, member, roles, LEARNER);
        addIf(targetVoters, member, roles, TARGET_VOTER);
        addIf(targetLearners, member, roles, TARGET_LEARNER);
      }
      if (source.hasRemaining()) {
        throw new MalformedException("bytes follow the membership", source.position());
      }
      Optional<Membership.Target> target =
          hasTarget
              ? Optional.of(new Membership.Target(targetVoters, targetLearners))
              : Optional.empty();
      return new Membership(voters, outgoing, learners, target, addresses);
    } catch (BufferUnderflowException e) {
      throw new MalformedException("the membership is cut off", source.position());
    } catch (IllegalArgumentException e) {
      throw new MalformedException("no cluster is so: " + e.getMessage(), source.position());
    }
  }

  private static int roles(Membership membership, MemberId member) {
    int roles = membership.voters().contains(member) ? VOTER : 0;
    roles |= membership.outgoing().contains(member) ? OUTGOING : 0;
    roles |= membership.learners().contains(member) ? LEARNER : 0;
    if (membership.target().isPresent()) {
      roles |= membership.target().get().voters().contains(member) ? TARGET_VOTER : 0;
      roles |= membership.target().get().learners().contains(member) ? TARGET_LEARNER : 0;
    }
    return roles;
  }

  private static void addIf(Set<MemberId> set, MemberId member, int roles, int role) {
    if ((roles & role) != 0) {
      set.add(member);
    }
  }
}
