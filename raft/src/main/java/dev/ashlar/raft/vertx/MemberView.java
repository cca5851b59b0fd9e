package dev.ashlar.raft.vertx;

import dev.ashlar.raft.core.MemberId;
import dev.ashlar.raft.core.RaftCore;
import dev.ashlar.raft.core.Role;
import io.vertx.core.json.DecodeException;
import io.vertx.core.json.JsonArray;
import io.vertx.core.json.JsonObject;
import java.util.Locale;
import java.util.SortedMap;
import java.util.SortedSet;
import java.util.TreeMap;
import java.util.TreeSet;
import java.util.stream.Collectors;

/**
 * What a member says of itself, for others to show (docs/format.md, "Status").
 *
 * @param release which release it runs
 * @param term its term
 * @param role its role: leader, candidate, pre-candidate or follower
 * @param base the index up to which its log is compacted
 * @param last the last index of its log
 * @param commit the highest index that it knows to be committed
 * @param applied up to where entries have taken effect on it
 * @param installing whether it is taking a snapshot
 * @param voters who votes as far as its log goes and where they are reached; nobody while that is
 *     being changed
 * @param learners who follows and does not vote, as far as its log goes
 * @param settled whether it leads and has committed an entry of its term, before which it does not
 *     know what is committed (thesis §6.4)
 * @param peers what it knows of the others, if it leads
 */
public record MemberView(
    String release,
    long term,
    String role,
    long base,
    long last,
    long commit,
    long applied,
    boolean installing,
    SortedMap<MemberId, String> voters,
    SortedSet<MemberId> learners,
    boolean settled,
    SortedMap<MemberId, RaftCore.Peer> peers) {

  static MemberView of(String release, NodeStatus status) {
    return new MemberView(
        release,
        status.term(),
        role(status.role()),
        status.base(),
        status.last(),
        status.commit(),
        status.applied(),
        status.installing(),
        status.membership().isJoint() ? new TreeMap<>() : Voters.of(status.membership()),
        status.membership().learners(),
        status.settled(),
        status.peers());
  }

  String encode() {
    JsonObject others = new JsonObject();
    peers.forEach(
        (member, peer) ->
            others.put(
                member.toString(),
                new JsonObject()
                    .put("match", peer.match())
                    .put("lagBytes", peer.lagBytes())
                    .put("silentTicks", peer.silentTicks())
                    .put("needsSnapshot", peer.needsSnapshot())));
    return new JsonObject()
        .put("release", release)
        .put("term", term)
        .put("role", role)
        .put("base", base)
        .put("last", last)
        .put("commit", commit)
        .put("applied", applied)
        .put("installing", installing)
        .put("voters", Voters.encode(voters))
        .put("learners", new JsonArray(learners.stream().map(MemberId::toString).toList()))
        .put("settled", settled)
        .put("peers", others)
        .encode();
  }

  /** Throws {@link FrameException} for what is none. */
  static MemberView decode(String text) {
    try {
      JsonObject json = new JsonObject(text);
      SortedMap<MemberId, RaftCore.Peer> peers = new TreeMap<>();
      JsonObject others = json.getJsonObject("peers", new JsonObject());
      for (String member : others.fieldNames()) {
        JsonObject peer = others.getJsonObject(member);
        peers.put(
            MemberId.parse(member),
            new RaftCore.Peer(
                peer.getLong("match", 0L),
                peer.getLong("lagBytes", 0L),
                peer.getLong("silentTicks", 0L),
                peer.getBoolean("needsSnapshot", false)));
      }
      return new MemberView(
          json.getString("release", ""),
          json.getLong("term", 0L),
          json.getString("role", ""),
          json.getLong("base", 0L),
          json.getLong("last", 0L),
          json.getLong("commit", 0L),
          json.getLong("applied", 0L),
          json.getBoolean("installing", false),
          Voters.decode(json.getJsonObject("voters", new JsonObject())),
          json.getJsonArray("learners", new JsonArray()).stream()
              .map(learner -> MemberId.parse((String) learner))
              .collect(Collectors.toCollection(TreeSet::new)),
          json.getBoolean("settled", false),
          peers);
    } catch (DecodeException | ClassCastException | IllegalArgumentException e) {
      throw new FrameException("the peer told nothing about its state that can be read");
    }
  }

  /** The name of a role, as people know it. */
  public static String role(Role role) {
    return role instanceof Role.PreCandidate
        ? "pre-candidate"
        : role.getClass().getSimpleName().toLowerCase(Locale.ROOT);
  }
}
