package dev.ashlar.raft.core;

import java.util.ArrayList;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.SplittableRandom;
import java.util.TreeMap;
import java.util.UUID;

/** A core under test, with short words for what is done to it; disks are instant unless held. */
final class Peer {

  static final CoreOptions OPTIONS = new CoreOptions(2, 10, 20, 1000, 10, 4000, 4, 500, 100_000);

  private final RaftCore core;
  private final List<Ready.Write> held = new ArrayList<>();
  private final List<Ready.Accepted> accepted = new ArrayList<>();
  private boolean holdsWrites;

  Peer(RaftCore core) {
    this.core = core;
  }

  static MemberId id(int number) {
    return new MemberId(new UUID(0, number));
  }

  static Membership voters(int... numbers) {
    Map<MemberId, String> voters = new TreeMap<>();
    for (int number : numbers) {
      voters.put(id(number), "node-" + number + ":1");
    }
    return Membership.of(voters);
  }

  /** A member with a log of these terms, from index 1 on, nothing of it committed. */
  static Peer of(int number, Membership membership, long term, long... logTerms) {
    return of(number, membership, new HardState(term, Optional.empty()), 0, logTerms);
  }

  static Peer of(
      int number, Membership membership, HardState hardState, long applied, long... logTerms) {
    List<Entry> log = new ArrayList<>();
    for (int i = 0; i < logTerms.length; i++) {
      log.add(entry(i + 1, logTerms[i]));
    }
    return new Peer(
        new RaftCore(
            id(number),
            OPTIONS,
            new SplittableRandom(number),
            new RaftCore.Restored(hardState, EntryId.ZERO, membership, log, applied)));
  }

  static Entry entry(long index, long term) {
    return new Entry(new EntryId(index, term), 10, new Payload.Command("command " + index));
  }

  RaftCore core() {
    return core;
  }

  /** All requests that came to be in the log. */
  List<Ready.Accepted> accepted() {
    return accepted;
  }

  /** From now on writes become durable only by {@link #persist()}. */
  void holdWrites() {
    holdsWrites = true;
  }

  /** Everything that was held is durable; what that sets free. */
  List<Envelope> persist() {
    List<Envelope> sent = new ArrayList<>();
    for (Ready.Write write : List.copyOf(held)) {
      held.remove(write);
      sent.addAll(write.afterwards());
      core.persisted(write.number());
      sent.addAll(run());
    }
    return sent;
  }

  /** Takes what is owed until nothing is; everything that was sent. Ranges become AppendEntries. */
  List<Envelope> run() {
    List<Envelope> sent = new ArrayList<>();
    for (Ready ready = core.takeReady(); !ready.isEmpty(); ready = core.takeReady()) {
      accepted.addAll(ready.accepted());
      sent.addAll(ready.messages());
      for (Ready.Range range : ready.ranges()) {
        sent.add(new Envelope(range.to(), append(range)));
      }
      if (ready.write().isPresent()) {
        if (holdsWrites) {
          held.add(ready.write().get());
        } else {
          sent.addAll(ready.write().get().afterwards());
          core.persisted(ready.write().get().number());
        }
      }
    }
    return sent;
  }

  List<Envelope> step(int from, Message message) {
    core.step(id(from), message);
    return run();
  }

  List<Envelope> ticks(int count) {
    List<Envelope> sent = new ArrayList<>();
    for (int i = 0; i < count; i++) {
      core.tick();
      sent.addAll(run());
    }
    return sent;
  }

  /** Ticks until the role is another one. */
  List<Envelope> timeout() {
    Role before = core.status().role();
    List<Envelope> sent = new ArrayList<>();
    for (int i = 0; i <= OPTIONS.electionTicksMax() && core.status().role().equals(before); i++) {
      sent.addAll(ticks(1));
    }
    return sent;
  }

  /** Makes it the leader of the next term by the votes of these. */
  List<Envelope> lead(int... votes) {
    timeout();
    for (int vote : votes) {
      step(vote, new Message.PreVoteResponse(core.status().term() + 1, true, preVoteRound()));
    }
    long term = core.status().term();
    List<Envelope> sent = new ArrayList<>();
    for (int vote : votes) {
      sent.addAll(step(vote, new Message.VoteResponse(term, true)));
    }
    return sent;
  }

  /** What a range carries: contents do not matter to the core. */
  private Message append(Ready.Range range) {
    List<Entry> entries = new ArrayList<>();
    for (long i = range.previous().index() + 1; i <= range.last().index(); i++) {
      entries.add(entry(i, core.idAt(i).orElseThrow().term()));
    }
    return new Message.AppendEntries(range.term(), range.previous(), entries, range.commit());
  }

  private static long preVoteRound() {
    return 1;
  }

  static List<Message> to(int number, List<Envelope> sent) {
    return sent.stream().filter(e -> e.to().equals(id(number))).map(Envelope::message).toList();
  }
}
