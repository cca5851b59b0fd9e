package dev.ashlar.raft.driver;

import dev.ashlar.block.engine.Outcome;
import dev.ashlar.block.engine.StorageEngine;
import dev.ashlar.raft.core.EntryId;
import dev.ashlar.raft.core.MemberId;
import dev.ashlar.raft.core.Ready;
import dev.ashlar.raft.replication.BlockCommand;
import dev.ashlar.raft.replication.WriteResult;
import java.util.ArrayList;
import java.util.HashMap;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.NavigableMap;
import java.util.Optional;
import java.util.TreeMap;
import java.util.function.Consumer;

/**
 * Writes that wait for their end. Each is in one state:
 *
 * <pre>
 * WAITING    for a leader; certainly not done                       → PROPOSED, SENT
 * PROPOSED   to the core of this member; certainly not done         → APPENDED, WAITING
 * APPENDED   in the log at an index and term                        → done, WAITING, unknown
 * SENT       to the leader, at most once                            → done, WAITING, unknown
 * </pre>
 *
 * It is done when the entry that is applied at its index has its term; when another term's entry
 * is, it is certainly not done and may be tried again (Raft §5.4.3).
 */
final class Requests {

  private static final int PAUSE_TICKS = 3;

  private final Map<Long, Request> open = new HashMap<>();
  private final Map<Long, Request> waiting = new LinkedHashMap<>();
  private final NavigableMap<Long, List<Request>> appended = new TreeMap<>();
  private final long pendingBytesMax;
  private final int requestTicks;
  private final int leaderTicks;
  private final Map<Long, Request> sent = new HashMap<>();
  private long nextToken;
  private long nextSendId;
  private long bytes;

  /**
   * @param firstToken tokens ascend from here
   * @param pendingBytesMax how many bytes may wait
   * @param requestTicks after how long an answer is given up
   * @param leaderTicks after how long a leader is given up
   */
  Requests(long firstToken, long pendingBytesMax, int requestTicks, int leaderTicks) {
    this.nextToken = firstToken;
    this.nextSendId = firstToken;
    this.pendingBytesMax = pendingBytesMax;
    this.requestTicks = requestTicks;
    this.leaderTicks = Math.min(requestTicks, leaderTicks);
  }

  /** What is asked for. */
  sealed interface What {
    /** How many bytes it holds on to. */
    int bytes();

    record Write(BlockCommand command) implements What {
      @Override
      public int bytes() {
        return command.bytes();
      }
    }

    record Admin(AdminCommand command) implements What {
      @Override
      public int bytes() {
        return 0;
      }
    }
  }

  enum State {
    WAITING,
    PROPOSED,
    APPENDED,
    SENT
  }

  /** One request. */
  static final class Request {
    final long token;
    final What what;
    final boolean isForwarded;
    final Consumer<WriteResult> done;
    private final long deadline;
    private State state = State.WAITING;
    private EntryId id = EntryId.ZERO;
    private MemberId sentTo;
    private long sentId;
    private long notBefore;

    @SuppressWarnings("NullAway.Init")
    private Request(
        long token, What what, boolean isForwarded, Consumer<WriteResult> done, long deadline) {
      this.token = token;
      this.what = what;
      this.isForwarded = isForwarded;
      this.done = done;
      this.deadline = deadline;
    }
  }

  /** Takes a request in, or answers that there are too many. */
  Optional<Request> add(What what, boolean isForwarded, Consumer<WriteResult> done, long now) {
    if (!open.isEmpty() && bytes + what.bytes() > pendingBytesMax) {
      done.accept(new WriteResult.NotDone(WriteResult.Reason.BUSY));
      return Optional.empty();
    }
    Request request = new Request(nextToken++, what, isForwarded, done, now + requestTicks);
    open.put(request.token, request);
    waiting.put(request.token, request);
    bytes += what.bytes();
    return Optional.of(request);
  }

  boolean isEmpty() {
    return open.isEmpty();
  }

  /** Those that wait for a leader and may try again now, oldest first. */
  List<Request> waiting(long now) {
    return waiting.values().stream().filter(request -> request.notBefore <= now).toList();
  }

  /** An id for sending a request to a leader: a new one each time, for an answer ends it. */
  long nextSendId() {
    return ++nextSendId;
  }

  void proposed(Request request) {
    request.state = State.PROPOSED;
    waiting.remove(request.token);
  }

  void sent(Request request, long id, MemberId leader) {
    request.state = State.SENT;
    request.sentId = id;
    sent.put(id, request);
    waiting.remove(request.token);
    request.sentTo = leader;
  }

  void accepted(long token, EntryId id) {
    Request request = open.get(token);
    if (request != null) {
      request.state = State.APPENDED;
      request.id = id;
      appended.computeIfAbsent(id.index(), i -> new ArrayList<>()).add(request);
    }
  }

  void rejected(long token, Ready.Reason reason) {
    Request request = open.get(token);
    if (request == null) {
      return;
    }
    if (reason == Ready.Reason.NOT_LEADER) {
      tryAgain(request);
    } else {
      finish(request, new WriteResult.NotDone(WriteResult.Reason.BUSY));
    }
  }

  /** An answer of the leader that a request was sent to. */
  void answered(MemberId from, long id, WriteResult result, long now) {
    Request request = sent.get(id);
    if (request == null || request.state != State.SENT || !from.equals(request.sentTo)) {
      return;
    }
    boolean another =
        result instanceof WriteResult.NotDone notDone
            && notDone.reason() == WriteResult.Reason.NOT_LEADER;
    if (another) {
      // Whoever is believed to lead says that it does not: time brings a better belief.
      request.notBefore = now + PAUSE_TICKS;
      tryAgain(request);
    } else {
      finish(request, result);
    }
  }

  void applied(List<StorageEngine.Applied> entries) {
    for (StorageEngine.Applied each : entries) {
      List<Request> here = appended.remove(each.entry().index());
      if (here == null) {
        continue;
      }
      for (Request request : here) {
        if (request.id.term() == each.entry().term()) {
          finish(request, new WriteResult.Done(each.outcome(), each.entry().index()));
        } else {
          tryAgain(request);
        }
      }
    }
  }

  /**
   * A snapshot stands for everything up to an index; what became of single entries is not known.
   */
  void installed(long index) {
    List<Request> passed = new ArrayList<>();
    appended.headMap(index, true).values().forEach(passed::addAll);
    passed.forEach(request -> finish(request, new WriteResult.Unknown()));
  }

  /** Contact to a peer is lost: what was sent to it may have been done. */
  void lost(MemberId peer) {
    List<Request> sent =
        open.values().stream()
            .filter(request -> request.state == State.SENT && peer.equals(request.sentTo))
            .toList();
    sent.forEach(request -> finish(request, new WriteResult.Unknown()));
  }

  /** The core is made anew from what the disk says. */
  void coreLost(long durableIndex, WriteResult ofAppended) {
    for (Request request : List.copyOf(open.values())) {
      if (request.state == State.APPENDED && request.id.index() > durableIndex) {
        finish(request, ofAppended);
      } else if (request.state == State.PROPOSED) {
        tryAgain(request);
      }
    }
  }

  void expire(long now) {
    for (Request request : List.copyOf(open.values())) {
      boolean waitsInVain =
          request.state == State.WAITING && request.deadline - requestTicks + leaderTicks <= now;
      if (request.deadline <= now || waitsInVain) {
        finish(request, overdue(request));
      }
    }
  }

  void stop() {
    for (Request request : List.copyOf(open.values())) {
      boolean left = request.state == State.APPENDED || request.state == State.SENT;
      finish(
          request,
          left ? new WriteResult.Unknown() : new WriteResult.NotDone(WriteResult.Reason.STOPPING));
    }
  }

  void finish(Request request, WriteResult result) {
    if (open.remove(request.token) == null) {
      return;
    }
    waiting.remove(request.token);
    sent.remove(request.sentId);
    bytes -= request.what.bytes();
    List<Request> here = appended.get(request.id.index());
    if (here != null && here.remove(request) && here.isEmpty()) {
      appended.remove(request.id.index());
    }
    request.done.accept(result);
  }

  /** An admin command that needs no entry of its own is done when the leader takes it. */
  static WriteResult taken() {
    return new WriteResult.Done(Outcome.NONE, 0);
  }

  private void tryAgain(Request request) {
    request.state = State.WAITING;
    sent.remove(request.sentId);
    waiting.put(request.token, request);
    if (request.isForwarded) {
      finish(request, new WriteResult.NotDone(WriteResult.Reason.NOT_LEADER));
    }
  }

  private static WriteResult overdue(Request request) {
    return request.state == State.WAITING || request.state == State.PROPOSED
        ? new WriteResult.NotDone(WriteResult.Reason.NO_LEADER)
        : new WriteResult.Unknown();
  }
}
