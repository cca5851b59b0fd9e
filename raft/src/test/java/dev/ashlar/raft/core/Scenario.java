package dev.ashlar.raft.core;

import java.util.ArrayDeque;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.Collection;
import java.util.Deque;
import java.util.HashMap;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.SplittableRandom;
import java.util.TreeMap;
import java.util.stream.Collectors;

/**
 * Plays a script on a group of cores and writes down what they say and do. A script is lines of
 *
 * <pre>
 * # anything                    for the reader
 * members 1 2 3                 the first configuration; further members may be named later
 * log 1 term 7: 1 1 4           what is on a disk at first: a term, and the terms of the entries
 * one entry at a time           a message carries no more, and waits for the answer to the last
 * timeout 1                     time passes on 1 until it changes its role
 * tick 1 5                      time passes on 1 only
 * deliver [1 2 3]               messages arrive until there are none [between these members alone:
 *                               others are lost]
 * deliver votes [1 2 3]         the same for elections; other messages wait
 * step [1 2 3]                  what is under way now arrives, the answers do not yet
 * lose                          all messages that are under way are lost
 * keep, return                  they are delayed; they are under way again
 * propose 1 x                   a command
 * change 1: 1 2 3               these are to be the voters
 * transfer 1: 2                 1 is to hand over to 2
 * read 1                        a linearizable read
 * hold 1, persist 1             writes of 1 do not become durable; those so far do
 * crash 1, restart 1
 * show                          terms, roles, logs: * is durable, everything up to | is committed
 * </pre>
 */
final class Scenario {

  private final StringBuilder story = new StringBuilder();
  private final Map<Integer, Node> nodes = new TreeMap<>();
  private final Deque<Letter> underWay = new ArrayDeque<>();
  private final List<Letter> delayed = new ArrayList<>();
  private Membership first = Membership.NONE;
  private boolean oneEntryAtATime;
  private long tokens;

  private record Letter(int from, int to, Message message) {}

  /** The script again, with what happened after each command, indented. */
  static String play(String script) {
    Scenario scenario = new Scenario();
    for (String line : script.split("\n", -1)) {
      if (line.startsWith("  ")) {
        continue;
      }
      scenario.story.append(line).append('\n');
      if (!line.isBlank() && !line.startsWith("#")) {
        scenario.command(line);
      }
    }
    return scenario.story.toString().stripTrailing() + "\n";
  }

  private void command(String line) {
    String[] words = line.replace(":", " ").trim().split("\\s+");
    switch (words[0]) {
      case "members" -> first = Peer.voters(numbers(words, 1));
      case "log" -> log(words);
      case "one" -> oneEntryAtATime = true;
      case "timeout" -> timeout(node(words[1]));
      case "tick" -> tick(node(words[1]), Integer.parseInt(words[2]));
      case "deliver" -> {
        boolean votes = words.length > 1 && words[1].equals("votes");
        deliver(votes, numbers(words, votes ? 2 : 1));
      }
      case "step" -> step(numbers(words, 1));
      case "lose" -> lose();
      case "keep" -> {
        delayed.addAll(underWay);
        underWay.clear();
      }
      case "return" -> {
        underWay.addAll(delayed);
        delayed.clear();
      }
      case "propose" -> {
        node(words[1]).core().propose(++tokens, 10, words[2]);
        settle(node(words[1]));
      }
      case "change" -> change(node(words[1]), numbers(words, 2));
      case "transfer" -> {
        node(words[1]).core().transferTo(++tokens, Peer.id(Integer.parseInt(words[2])));
        settle(node(words[1]));
      }
      case "read" -> {
        node(words[1]).core().read(++tokens);
        say(node(words[1]), "is asked for read " + tokens);
        settle(node(words[1]));
      }
      case "hold" -> node(words[1]).holds = true;
      case "persist" -> persist(node(words[1]));
      case "crash" -> crash(node(words[1]));
      case "restart" -> restart(node(words[1]));
      case "show" -> nodes.keySet().forEach(number -> show(node(number)));
      default -> throw new IllegalArgumentException("no command: " + line);
    }
  }

  private static int[] numbers(String[] words, int from) {
    return Arrays.stream(words).skip(from).mapToInt(Integer::parseInt).toArray();
  }

  private Node node(String number) {
    return node(Integer.parseInt(number));
  }

  private Node node(int number) {
    return nodes.computeIfAbsent(number, Node::new);
  }

  private void log(String[] words) {
    Node node = node(words[1]);
    node.hardState = new HardState(Long.parseLong(words[3]), Optional.empty());
    for (int i = 4; i < words.length; i++) {
      node.durable.add(Peer.entry(i - 3, Long.parseLong(words[i])));
    }
  }

  private void timeout(Node node) {
    Role before = node.core().status().role();
    for (int i = 0; i <= 25 && node.core().status().role().equals(before); i++) {
      tick(node, 1);
    }
  }

  private void tick(Node node, int times) {
    for (int i = 0; i < times; i++) {
      node.core().tick();
      settle(node);
    }
  }

  private void deliver(boolean votesOnly, int[] among) {
    List<Letter> kept = new ArrayList<>();
    while (!underWay.isEmpty()) {
      Letter letter = underWay.remove();
      if (votesOnly && !isOfElection(letter.message())) {
        kept.add(letter);
      } else {
        deliver(letter, among);
      }
    }
    underWay.addAll(kept);
  }

  private void step(int[] among) {
    List<Letter> now = List.copyOf(underWay);
    underWay.clear();
    now.forEach(letter -> deliver(letter, among));
  }

  private void deliver(Letter letter, int[] among) {
    List<Integer> connected = Arrays.stream(among).boxed().toList();
    Node to = node(letter.to());
    boolean linked =
        connected.isEmpty()
            || (connected.contains(letter.from()) && connected.contains(letter.to()));
    boolean arrives = to.isUp() && linked;
    line(letter.from() + (arrives ? " > " : " x ") + letter.to() + " " + text(letter.message()));
    if (arrives) {
      to.core().step(Peer.id(letter.from()), letter.message());
      settle(to);
    }
  }

  private static boolean isOfElection(Message message) {
    return message instanceof Message.PreVote
        || message instanceof Message.PreVoteResponse
        || message instanceof Message.RequestVote
        || message instanceof Message.VoteResponse;
  }

  private void lose() {
    underWay.forEach(
        letter -> line(letter.from() + " x " + letter.to() + " " + text(letter.message())));
    underWay.clear();
  }

  private void change(Node node, int[] voters) {
    Map<MemberId, String> addresses = new HashMap<>(Peer.voters(voters).addresses());
    Membership.Target target = Membership.Target.of(addresses.keySet(), new ArrayList<MemberId>());
    node.core().change(++tokens, target, addresses);
    settle(node);
  }

  private void persist(Node node) {
    node.holds = false;
    for (Ready.Write write : List.copyOf(node.held)) {
      persist(node, write);
    }
    node.held.clear();
    settle(node);
  }

  private void persist(Node node, Ready.Write write) {
    node.write(write);
    write.afterwards().forEach(envelope -> send(node, envelope));
    node.core().persisted(write.number());
  }

  private void crash(Node node) {
    node.core = Optional.empty();
    node.held.clear();
    node.log.clear();
    node.holds = false;
    say(node, "crashes");
  }

  private void restart(Node node) {
    node.begin();
    say(node, "restarts");
  }

  /** Carries out what a core owes, until it owes nothing. */
  private void settle(Node node) {
    RaftCore core = node.core();
    for (Ready ready = core.takeReady(); !ready.isEmpty(); ready = core.takeReady()) {
      ready.status().ifPresent(status -> say(node, text(status)));
      ready.write().ifPresent(write -> owe(node, write));
      ready.messages().forEach(envelope -> send(node, envelope));
      ready.ranges().forEach(range -> send(node, new Envelope(range.to(), node.append(range))));
      ready.accepted().forEach(each -> say(node, "takes " + each.token() + " as " + each.id()));
      ready.rejected().forEach(each -> say(node, "refuses " + each.token() + " " + each.reason()));
      ready
          .reads()
          .forEach(read -> say(node, "confirms read " + read.token() + " at " + read.index()));
      ready.install().ifPresent(install -> say(node, "needs a snapshot of " + install.base()));
      if (ready.applyTo() > 0) {
        say(node, "applies up to " + ready.applyTo());
      }
    }
  }

  private void owe(Node node, Ready.Write write) {
    node.see(write);
    if (!write.changesNothing()) {
      say(node, text(write) + (node.holds ? " (held)" : ""));
    }
    if (node.holds) {
      node.held.add(write);
    } else {
      persist(node, write);
    }
  }

  private void send(Node from, Envelope envelope) {
    underWay.add(new Letter(from.number, number(envelope.to()), envelope.message()));
  }

  private void show(Node node) {
    if (!node.isUp()) {
      line(node.number + " is down: " + text(node.durable, node.durable, 0));
      return;
    }
    Ready.Status status = node.core().status();
    line(
        node.number
            + " "
            + role(status.role())
            + " term "
            + status.term()
            + ": "
            + text(node.log, node.durable, node.core().commitIndex()));
  }

  private void say(Node node, String what) {
    line(node.number + " " + what);
  }

  private void line(String text) {
    story.append("  ").append(text).append('\n');
  }

  private static int number(MemberId member) {
    return (int) member.uuid().getLeastSignificantBits();
  }

  private static String text(Ready.Status status) {
    return "is "
        + role(status.role())
        + leader(status.role())
        + " in term "
        + status.term()
        + of(status.membership());
  }

  private static String of(Membership membership) {
    String outgoing = membership.isJoint() ? " and " + text(membership.outgoing()) : "";
    String learners =
        membership.learners().isEmpty() ? "" : ", learners " + text(membership.learners());
    return ", voters " + text(membership.voters()) + outgoing + learners;
  }

  private static String text(Collection<MemberId> members) {
    return members.stream().map(m -> "" + number(m)).collect(Collectors.joining(" "));
  }

  private static String role(Role role) {
    return role.getClass().getSimpleName().toLowerCase(java.util.Locale.ROOT);
  }

  private static String leader(Role role) {
    return role instanceof Role.Follower follower
        ? follower.leader().map(leader -> " of " + number(leader)).orElse("")
        : "";
  }

  private static String text(Ready.Write write) {
    List<String> parts = new ArrayList<>();
    write
        .hardState()
        .ifPresent(
            state ->
                parts.add(
                    "term "
                        + state.term()
                        + state.vote().map(vote -> " vote " + number(vote)).orElse("")));
    if (write.truncateFrom() > 0) {
      parts.add("drops from " + write.truncateFrom());
    }
    if (!write.entries().isEmpty()) {
      parts.add(
          "appends "
              + write.entries().stream().map(Scenario::text).collect(Collectors.joining(" ")));
    }
    return "writes: " + String.join(", ", parts);
  }

  private static String text(Entry entry) {
    Payload payload = entry.payload();
    String kind = payload instanceof Payload.Configuration ? "c" : "";
    return entry.id() + kind;
  }

  private static String text(List<Entry> log, List<Entry> durable, long commit) {
    StringBuilder text = new StringBuilder();
    for (Entry entry : log) {
      text.append(text(entry)).append(durable.contains(entry) ? "* " : " ");
      if (entry.id().index() == commit) {
        text.append("| ");
      }
    }
    return text.toString().strip();
  }

  /** A message without the words that every record prints. */
  private static String text(Message message) {
    if (message instanceof Message.AppendEntries append) {
      String entries =
          append.entries().isEmpty()
              ? "nothing"
              : append.entries().stream().map(Scenario::text).collect(Collectors.joining(" "));
      return "AppendEntries term "
          + append.term()
          + ": "
          + entries
          + " after "
          + append.previous()
          + ", commit "
          + append.commit();
    }
    return message
        .toString()
        .replace("[", " ")
        .replace("]", "")
        .replace("=", " ")
        .replaceFirst(" term (\\d+),? ?", " term $1: ")
        .replaceFirst(": $", "");
  }

  /** A member with its disk. */
  private final class Node {

    private final int number;
    private final List<Entry> durable = new ArrayList<>();
    private final List<Entry> log = new ArrayList<>();
    private final List<Ready.Write> held = new ArrayList<>();
    private HardState hardState = new HardState(0, Optional.empty());
    private boolean holds;
    private Optional<RaftCore> core = Optional.empty();
    private boolean begun;

    Node(int number) {
      this.number = number;
    }

    boolean isUp() {
      if (!begun) {
        begin();
      }
      return core.isPresent();
    }

    RaftCore core() {
      if (!isUp()) {
        throw new IllegalStateException(number + " is down");
      }
      return core.get();
    }

    void begin() {
      begun = true;
      log.clear();
      log.addAll(durable);
      CoreOptions options =
          oneEntryAtATime ? new CoreOptions(2, 10, 20, 1000, 1, 4000, 1, 0, 100_000) : Peer.OPTIONS;
      Membership known = first.contains(Peer.id(number)) ? first : Membership.NONE;
      core =
          Optional.of(
              new RaftCore(
                  Peer.id(number),
                  options,
                  new SplittableRandom(number),
                  new RaftCore.Restored(hardState, EntryId.ZERO, known, durable, 0)));
    }

    /** What the log will be, once it is written. */
    void see(Ready.Write write) {
      cut(log, write);
      log.addAll(write.entries());
    }

    void write(Ready.Write write) {
      write.hardState().ifPresent(state -> hardState = state);
      cut(durable, write);
      durable.addAll(write.entries());
    }

    private void cut(List<Entry> entries, Ready.Write write) {
      if (write.truncateFrom() > 0) {
        entries.removeIf(entry -> entry.id().index() >= write.truncateFrom());
      }
    }

    Message append(Ready.Range range) {
      List<Entry> entries =
          log.stream()
              .filter(entry -> entry.id().index() > range.previous().index())
              .filter(entry -> entry.id().index() <= range.last().index())
              .toList();
      return new Message.AppendEntries(range.term(), range.previous(), entries, range.commit());
    }
  }
}
