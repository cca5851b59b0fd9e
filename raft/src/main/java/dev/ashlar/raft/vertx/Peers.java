package dev.ashlar.raft.vertx;

import dev.ashlar.raft.core.MemberId;
import dev.ashlar.raft.core.Membership;
import dev.ashlar.raft.driver.Lane;
import dev.ashlar.raft.driver.PeerMessage;
import dev.ashlar.raft.driver.Transport;
import io.vertx.core.Vertx;
import java.util.HashMap;
import java.util.LinkedHashMap;
import java.util.Map;
import java.util.Optional;
import java.util.Set;
import java.util.function.BiConsumer;

/**
 * The connections of a member to the others, three lanes each. Those that the membership names are
 * called at once, others when there is something to say and their address is known. For the
 * member's context alone.
 */
final class Peers implements Transport {

  /** Members tell each other something every second: who is silent for longer is called anew. */
  private static final long SILENT_NANOS_MAX = 5_000_000_000L;

  /** For so long somebody who has been removed is still told so. */
  private static final int FORGET_MILLIS = 10_000;

  /** So many who are no members are remembered, and called, at once. */
  private static final int STRANGERS_MAX = 64;

  private record Introduction(String address, long features) {}

  private final Vertx vertx;
  private final PeerClient client;
  private final RaftNodeOptions options;
  private final Identity identity;
  private final BiConsumer<MemberId, Lane> lost;
  private final Map<MemberId, Map<Lane, PeerLink>> links = new HashMap<>();
  private final Map<MemberId, Long> heardNanos = new HashMap<>();

  /** What others said of themselves, the latest last. */
  private final Map<MemberId, Introduction> introduced = new LinkedHashMap<>();

  private Membership membership = Membership.NONE;
  private long lookedNanos;
  private boolean closed;

  /**
   * @param lost is told when a lane broke
   */
  Peers(
      Vertx vertx,
      PeerClient client,
      RaftNodeOptions options,
      Identity identity,
      BiConsumer<MemberId, Lane> lost) {
    this.vertx = vertx;
    this.client = client;
    this.options = options;
    this.identity = identity;
    this.lost = lost;
  }

  @Override
  public boolean send(MemberId to, PeerMessage message) {
    Map<Lane, PeerLink> lanes = links.get(to);
    if (lanes == null) {
      boolean mayCall = membership.contains(to) || strangers(links.keySet()) < STRANGERS_MAX;
      if (closed || !mayCall || addressOf(to).isEmpty()) {
        return false;
      }
      lanes = connect(to);
      vertx.setTimer(FORGET_MILLIS, id -> forgetStrangers());
    }
    PeerLink link = lanes.get(message.lane());
    return link != null && link.send(message);
  }

  /**
   * Somebody has said where it is reached, where the membership knows better, and what it knows.
   */
  void introduced(MemberId member, String address, long features) {
    introduced.remove(member);
    introduced.put(member, new Introduction(address, features));
    if (strangers(introduced.keySet()) > STRANGERS_MAX) {
      introduced.keySet().stream()
          .filter(each -> !membership.contains(each))
          .findFirst()
          .ifPresent(introduced::remove);
    }
  }

  private long strangers(Set<MemberId> among) {
    return among.stream().filter(each -> !membership.contains(each)).count();
  }

  @Override
  public boolean isKnownBy(MemberId member, long feature) {
    Introduction known = introduced.get(member);
    return known != null && (known.features() & feature) != 0;
  }

  boolean isMember(MemberId member) {
    return membership.contains(member);
  }

  void heard(MemberId from) {
    if (links.containsKey(from)) {
      heardNanos.put(from, System.nanoTime());
    }
  }

  /** Calls those who are new. */
  void membershipIs(Membership newMembership) {
    membership = newMembership;
    for (MemberId member : membership.members()) {
      if (!member.equals(identity.member()) && !links.containsKey(member)) {
        connect(member);
      }
    }
    vertx.setTimer(FORGET_MILLIS, id -> forgetStrangers());
  }

  /** A connection can be dead without a word: after a partition it would stay so for minutes. */
  void callSilentAnew() {
    long now = System.nanoTime();
    if (now - lookedNanos < SILENT_NANOS_MAX / 5) {
      return;
    }
    lookedNanos = now;
    links.forEach(
        (member, lanes) -> {
          long since = heardNanos.computeIfAbsent(member, m -> now);
          if (now - since > SILENT_NANOS_MAX) {
            heardNanos.put(member, now);
            lanes.values().forEach(PeerLink::reset);
          }
        });
    heardNanos.keySet().retainAll(links.keySet());
  }

  void close() {
    closed = true;
    links.values().forEach(lanes -> lanes.values().forEach(PeerLink::close));
  }

  private Map<Lane, PeerLink> connect(MemberId to) {
    Map<Lane, PeerLink> lanes = new HashMap<>();
    for (Lane lane : Lane.values()) {
      Hello.Purpose purpose =
          switch (lane) {
            case CONTROL -> Hello.Purpose.CONTROL;
            case LOG -> Hello.Purpose.LOG;
            case BULK -> Hello.Purpose.BULK;
          };
      PeerLink link =
          new PeerLink(
              vertx,
              client,
              lane,
              options.queueBytesMax(),
              () -> addressOf(to).orElse("unknown:0"),
              () -> identity.hello(purpose, to),
              broke -> broke(to, broke));
      lanes.put(lane, link);
      link.connect();
    }
    links.put(to, lanes);
    return lanes;
  }

  private void broke(MemberId peer, Lane lane) {
    if (!closed) {
      lost.accept(peer, lane);
    }
  }

  private Optional<String> addressOf(MemberId member) {
    return membership
        .address(member)
        .or(() -> Optional.ofNullable(introduced.get(member)).map(Introduction::address));
  }

  private void forgetStrangers() {
    if (closed || membership.members().isEmpty()) {
      return;
    }
    links
        .entrySet()
        .removeIf(
            peer -> {
              boolean stranger = !membership.contains(peer.getKey());
              if (stranger) {
                peer.getValue().values().forEach(PeerLink::close);
              }
              return stranger;
            });
  }
}
