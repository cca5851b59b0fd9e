package dev.ashlar.raft.vertx;

import dev.ashlar.raft.core.MemberId;
import io.vertx.core.Future;
import io.vertx.core.Vertx;
import io.vertx.core.json.DecodeException;
import io.vertx.core.json.JsonObject;
import java.util.ArrayList;
import java.util.Comparator;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.SortedMap;
import java.util.TreeMap;
import java.util.UUID;

/**
 * What a member remembers of its cluster beside its store, so that it finds the others when the
 * store is damaged.
 *
 * @param cluster the cluster's id
 * @param self the member
 * @param address where it is reached
 * @param voters all voters and where they are reached, itself among them if it is one
 */
public record KnownCluster(
    UUID cluster, MemberId self, String address, SortedMap<MemberId, String> voters) {

  private static final int VOTERS_MIN = 3;

  /** Copies the map. */
  public KnownCluster {
    voters = new TreeMap<>(voters);
  }

  /** As a member sees it now. */
  public static KnownCluster of(NodeStatus status) {
    SortedMap<MemberId, String> voters = new TreeMap<>();
    for (MemberId voter : status.membership().voters()) {
      voters.put(voter, status.membership().address(voter).orElse(""));
    }
    return new KnownCluster(status.cluster(), status.self(), status.address(), voters);
  }

  /** As JSON. */
  public String encode() {
    JsonObject reached = new JsonObject();
    voters.forEach((voter, place) -> reached.put(voter.toString(), place));
    return new JsonObject()
        .put("cluster", cluster.toString())
        .put("self", self.toString())
        .put("address", address)
        .put("voters", reached)
        .encode();
  }

  /** What {@link #encode} gave; empty for anything else. */
  public static Optional<KnownCluster> decode(String text) {
    try {
      JsonObject json = new JsonObject(text);
      JsonObject reached = json.getJsonObject("voters");
      SortedMap<MemberId, String> voters = new TreeMap<>();
      for (String voter : reached.fieldNames()) {
        voters.put(MemberId.parse(voter), reached.getString(voter));
      }
      return Optional.of(
          new KnownCluster(
              UUID.fromString(json.getString("cluster")),
              MemberId.parse(json.getString("self")),
              json.getString("address"),
              voters));
    } catch (DecodeException
        | ClassCastException
        | IllegalArgumentException
        | NullPointerException e) {
      return Optional.empty();
    }
  }

  /** Where the others are reached. */
  public List<String> others() {
    return voters.entrySet().stream()
        .filter(voter -> !voter.getKey().equals(self))
        .map(Map.Entry::getValue)
        .toList();
  }

  /**
   * Asks the others whether the cluster can do without what this member has: a quorum of all voters
   * answers without it, follows a leader among them, and has everything that is known to be
   * committed.
   *
   * @return failed with {@link FormationException} and the reason where it cannot
   */
  public Future<Void> requireDispensable(Vertx vertx, RaftNodeOptions options) {
    if (!voters.containsKey(self)) {
      return Future.failedFuture(
          new FormationException(
              "it is a learner: set the directory aside and start it with --join, then"
                  + " 'ashlar cluster add --learner'"));
    }
    if (voters.size() < VOTERS_MIN) {
      return Future.failedFuture(
          new FormationException(
              "the cluster has " + voters.size() + " voters, who cannot outvote a lost one"));
    }
    Identity identity = new Identity();
    identity.is(self);
    identity.belongsTo(cluster);
    identity.isReachedAt(address);
    PeerClient client = new PeerClient(vertx, options);
    List<MemberView> views = new ArrayList<>();
    List<Future<MemberView>> asked = new ArrayList<>();
    voters.forEach(
        (voter, place) -> {
          if (!voter.equals(self)) {
            asked.add(
                client
                    .ask(place, identity.hello(Hello.Purpose.STATUS, voter))
                    .map(MemberView::decode)
                    .onSuccess(views::add));
          }
        });
    return Future.join(asked).transform(done -> judge(views)).onComplete(done -> client.close());
  }

  private Future<Void> judge(List<MemberView> views) {
    int quorum = voters.size() / 2 + 1;
    Optional<MemberView> leader =
        views.stream()
            .filter(view -> view.role().equals("leader"))
            .max(Comparator.comparingLong(MemberView::term));
    if (leader.isEmpty()) {
      return Future.failedFuture(
          new FormationException(
              views.size() + " of the other voters answer, and none of them leads"));
    }
    if (!leader.get().peers().containsKey(self)) {
      return Future.failedFuture(
          new FormationException("the leader does not know it: it has been removed"));
    }
    long whole =
        views.stream()
            .filter(view -> !view.installing() && view.last() >= leader.get().commit())
            .count();
    return whole >= quorum
        ? Future.succeededFuture()
        : Future.failedFuture(
            new FormationException(
                whole + " other voters have everything, and it takes " + quorum));
  }
}
