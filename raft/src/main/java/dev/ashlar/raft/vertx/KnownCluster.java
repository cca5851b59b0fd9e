package dev.ashlar.raft.vertx;

import dev.ashlar.raft.core.MemberId;
import dev.ashlar.raft.driver.Features;
import io.vertx.core.Future;
import io.vertx.core.Vertx;
import io.vertx.core.json.DecodeException;
import io.vertx.core.json.JsonObject;
import java.util.Collection;
import java.util.Comparator;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.Set;
import java.util.SortedMap;
import java.util.TreeMap;
import java.util.TreeSet;
import java.util.UUID;
import java.util.function.Function;

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
    return new KnownCluster(
        status.cluster(), status.self(), status.address(), Voters.of(status.membership()));
  }

  /** As JSON. */
  public String encode() {
    return new JsonObject()
        .put("cluster", cluster.toString())
        .put("self", self.toString())
        .put("address", address)
        .put("voters", Voters.encode(voters))
        .encode();
  }

  /** What {@link #encode} gave; empty for anything else. */
  public static Optional<KnownCluster> decode(String text) {
    try {
      JsonObject json = new JsonObject(text);
      return Optional.of(
          new KnownCluster(
              UUID.fromString(json.getString("cluster")),
              MemberId.parse(json.getString("self")),
              json.getString("address"),
              Voters.decode(json.getJsonObject("voters"))));
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
   * Asks the others whether the cluster can do without what this member has: a leader that knows
   * what is committed says that a quorum of all voters has it durably without this one, and they
   * answer, none of them in a later term. Who they are is for them to say: those that are
   * remembered here may have been replaced since.
   *
   * @return where the other voters are reached; failed with {@link FormationException} and the
   *     reason where the cluster cannot
   */
  public Future<List<String>> requireDispensable(Vertx vertx, RaftNodeOptions options) {
    Identity identity = new Identity(Features.ALL);
    identity.is(self);
    identity.belongsTo(cluster);
    identity.isReachedAt(address);
    PeerClient client = new PeerClient(vertx, options);
    MemberId anybody = new MemberId(Hello.NOBODY);
    return ask(client, identity, others(), place -> anybody)
        .compose(known -> ask(client, identity, namedBy(known), place -> anybody))
        .compose(KnownCluster::leaderAmong)
        .compose(leader -> requireQuorumHas(leader, client, identity))
        .onComplete(done -> client.close());
  }

  /** What those who answer say. */
  private static Future<List<MemberView>> ask(
      PeerClient client,
      Identity identity,
      Collection<String> places,
      Function<String, MemberId> member) {
    List<Future<MemberView>> asked =
        places.stream()
            .map(
                place ->
                    client
                        .ask(place, identity.hello(Hello.Purpose.STATUS, member.apply(place)))
                        .map(MemberView::decode))
            .toList();
    return Future.join(asked)
        .transform(
            done ->
                Future.succeededFuture(
                    asked.stream().filter(Future::succeeded).map(Future::result).toList()));
  }

  /** All places that are remembered or that somebody names, but this member's own. */
  private Set<String> namedBy(List<MemberView> views) {
    Set<String> places = new TreeSet<>(others());
    views.forEach(view -> places.addAll(view.voters().values()));
    places.remove(address);
    return places;
  }

  private static Future<MemberView> leaderAmong(List<MemberView> views) {
    return views.stream()
        .filter(MemberView::settled)
        .max(Comparator.comparingLong(MemberView::term))
        .map(Future::succeededFuture)
        .orElseGet(
            () ->
                refused(
                    views.size()
                        + " of the other voters answer, and none of them leads and knows what is"
                        + " committed"));
  }

  private Future<List<String>> requireQuorumHas(
      MemberView leader, PeerClient client, Identity identity) {
    SortedMap<MemberId, String> current = leader.voters();
    if (current.isEmpty()) {
      return refused("its cluster is being changed: that has to end first");
    }
    if (!current.containsKey(self)) {
      return leader.learners().contains(self)
          ? refused(
              "it is a learner: set the directory aside and start it with --join, then"
                  + " 'ashlar cluster add --learner'")
          : refused("the leader does not know it: it has been removed");
    }
    if (current.size() < VOTERS_MIN) {
      return refused(
          "the cluster has " + current.size() + " voters, who cannot outvote a lost one");
    }
    int quorum = current.size() / 2 + 1;
    // The leader is none of its own peers, and has all of it.
    long whole =
        current.keySet().stream()
            .filter(voter -> !voter.equals(self))
            .filter(
                voter ->
                    Optional.ofNullable(leader.peers().get(voter))
                        .map(peer -> peer.match() >= leader.commit())
                        .orElse(true))
            .count();
    if (whole < quorum) {
      return refused(whole + " other voters have everything, and it takes " + quorum);
    }
    Map<String, MemberId> asked = new TreeMap<>();
    current.forEach((voter, place) -> asked.put(place, voter));
    asked.values().remove(self);
    return ask(client, identity, asked.keySet(), place -> asked.getOrDefault(place, self))
        .compose(views -> requireSupport(leader, views, quorum))
        .map(done -> List.copyOf(asked.keySet()));
  }

  /** Voters that answer, and know of no later term than the leader's. */
  private static Future<Void> requireSupport(
      MemberView leader, List<MemberView> views, int quorum) {
    if (views.stream().anyMatch(view -> view.term() > leader.term())) {
      return refused("an election is under way");
    }
    long whole = views.stream().filter(view -> !view.installing()).count();
    return whole >= quorum
        ? Future.succeededFuture()
        : refused(whole + " other voters answer, and it takes " + quorum);
  }

  private static <T> Future<T> refused(String why) {
    return Future.failedFuture(new FormationException(why));
  }
}
