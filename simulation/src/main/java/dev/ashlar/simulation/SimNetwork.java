package dev.ashlar.simulation;

import dev.ashlar.raft.core.MemberId;
import dev.ashlar.raft.driver.Lane;
import dev.ashlar.raft.driver.PeerMessage;
import java.util.HashMap;
import java.util.HashSet;
import java.util.Map;
import java.util.Set;

/**
 * Loses, delays, doubles and reorders messages, within a lane and across lanes; links can be cut
 * one way and lane by lane. A message of a connection from before a restart never arrives.
 */
final class SimNetwork {

  private static final int LATE_MICROS_MAX = 3_000_000;

  private record Link(int from, int to, Lane lane) {}

  private final World world;
  private final Map<MemberId, SimNode> nodes = new HashMap<>();
  private final Set<Link> cut = new HashSet<>();
  private final Observer observer;
  private double loss;
  private double duplication;
  private double lateness;
  private int delayMicrosMax = 2_000;
  private double tellsLoss = 0.5;

  SimNetwork(World world, Observer observer) {
    this.world = world;
    this.observer = observer;
  }

  void register(MemberId member, SimNode node) {
    nodes.put(member, node);
  }

  void setQuality(double newLoss, double newDuplication, int newDelayMicrosMax) {
    loss = newLoss;
    duplication = newDuplication;
    delayMicrosMax = newDelayMicrosMax;
  }

  /** How often a message of the control lane comes once more, long after. */
  void setLateness(double newLateness) {
    lateness = newLateness;
  }

  void cut(int from, int to, Lane lane) {
    cut.add(new Link(from, to, lane));
  }

  void heal() {
    cut.clear();
    setQuality(0, 0, 2_000);
    setLateness(0);
  }

  boolean send(SimNode from, MemberId to, PeerMessage message) {
    SimNode target = nodes.get(to);
    // The handshake says who is there: a member that was replaced is not.
    if (target == null || !to.equals(target.member())) {
      return false;
    }
    observer.sent(from, to, message);
    if (isCut(from, target, message.lane())) {
      // A connection that is cut notices at some time, or not at all.
      if (world.chance(tellsLoss / 10)) {
        tellLost(from, target, message.lane());
      }
      return !world.chance(0.5);
    }
    if (world.chance(loss)) {
      if (world.chance(tellsLoss)) {
        tellLost(from, target, message.lane());
      }
      return true;
    }
    deliver(from, target, message, delay());
    if (world.chance(duplication)) {
      deliver(from, target, message, delay());
    }
    if (message.lane() == Lane.CONTROL && world.chance(lateness)) {
      deliver(from, target, message, world.between(100_000, LATE_MICROS_MAX));
    }
    return true;
  }

  private boolean isCut(SimNode from, SimNode to, Lane lane) {
    return cut.contains(new Link(from.number(), to.number(), lane));
  }

  private void tellLost(SimNode from, SimNode to, Lane lane) {
    MemberId peer = to.member();
    int life = from.life();
    world.after(
        world.between(100, 50_000), () -> from.whenRunning(life, () -> from.lost(peer, lane)));
  }

  private int delay() {
    return world.between(50, delayMicrosMax);
  }

  private void deliver(SimNode from, SimNode to, PeerMessage message, int micros) {
    int lifeThere = to.life();
    int startsHere = from.starts();
    MemberId sender = from.member();
    MemberId addressee = to.member();
    world.after(
        micros,
        () -> {
          boolean sameConnection = from.starts() == startsHere && to.life() == lifeThere;
          if (sameConnection && addressee.equals(to.member())) {
            to.whenRunning(lifeThere, () -> to.receive(sender, message));
          }
        });
  }
}
