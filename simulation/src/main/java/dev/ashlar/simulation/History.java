package dev.ashlar.simulation;

import java.util.ArrayList;
import java.util.HashMap;
import java.util.HashSet;
import java.util.List;
import java.util.Map;
import java.util.Set;

/**
 * What clients asked for and were told, and whether there is an order of all of it that explains it
 * (linearizability). Blocks are independent of each other, and one is there or not: so each is
 * checked by itself, against a state of one bit.
 */
final class History {

  /** What a client asks for. */
  enum Kind {
    PUT,
    DELETE,
    READ
  }

  /** How it ended. */
  enum End {
    /** A put made it, a delete removed it, a read found none: it was absent, or is. */
    CHANGED,
    /** A put found it, a delete found none. */
    UNCHANGED,
    /** A read found it. */
    PRESENT,
    /** A read found none. */
    ABSENT,
    /** It may have been done, now or at any later time. */
    UNKNOWN,
    /** It certainly was not done and will not be. */
    NOT_DONE
  }

  /** One call. */
  static final class Operation {
    private final int block;
    private final Kind kind;
    private final long began;
    private End end = End.UNKNOWN;
    private long ended = Long.MAX_VALUE;

    private Operation(int block, Kind kind, long began) {
      this.block = block;
      this.kind = kind;
      this.began = began;
    }

    @Override
    public String toString() {
      return kind + " " + block + " [" + began + ", " + ended + "] " + end;
    }
  }

  /**
   * @param live whether the block is there
   * @param done which of the open operations have taken effect
   * @param puts how many of the puts with an unknown end have taken effect
   * @param deletes how many of such deletes have
   */
  private record State(boolean live, Set<Operation> done, int puts, int deletes) {}

  private final List<Operation> operations = new ArrayList<>();
  private long clock;

  Operation begin(int block, Kind kind) {
    Operation operation = new Operation(block, kind, clock++);
    operations.add(operation);
    return operation;
  }

  void end(Operation operation, End end) {
    operation.end = end;
    operation.ended = clock++;
  }

  int size() {
    return operations.size();
  }

  /** Throws when a history of some block cannot be explained. */
  void check() {
    Map<Integer, List<Operation>> byBlock = new HashMap<>();
    for (Operation operation : operations) {
      boolean says =
          operation.end != End.NOT_DONE
              && !(operation.kind == Kind.READ && operation.end == End.UNKNOWN);
      if (says) {
        byBlock.computeIfAbsent(operation.block, b -> new ArrayList<>()).add(operation);
      }
    }
    byBlock.values().forEach(History::checkBlock);
  }

  private static void checkBlock(List<Operation> history) {
    record Moment(long at, Operation operation, boolean isBegin) {}
    List<Moment> moments = new ArrayList<>();
    for (Operation operation : history) {
      moments.add(new Moment(operation.began, operation, true));
      if (operation.end != End.UNKNOWN) {
        moments.add(new Moment(operation.ended, operation, false));
      }
    }
    moments.sort((a, b) -> Long.compare(a.at, b.at));
    Set<State> states = new HashSet<>();
    states.add(new State(false, Set.of(), 0, 0));
    Set<Operation> open = new HashSet<>();
    int unknownPuts = 0;
    int unknownDeletes = 0;
    for (Moment moment : moments) {
      Operation operation = moment.operation;
      if (moment.isBegin) {
        if (operation.end != End.UNKNOWN) {
          open.add(operation);
        } else if (operation.kind == Kind.PUT) {
          unknownPuts++;
        } else {
          unknownDeletes++;
        }
        continue;
      }
      states = after(states, open, operation, unknownPuts, unknownDeletes);
      open.remove(operation);
      if (states.isEmpty()) {
        throw new Violation("Linearizability", "nothing explains " + operation + " in " + history);
      }
    }
  }

  /** All states in which an operation has taken effect, which ends now. */
  private static Set<State> after(
      Set<State> from, Set<Operation> open, Operation ending, int puts, int deletes) {
    Set<State> reached = new HashSet<>();
    Set<State> result = new HashSet<>();
    List<State> work = new ArrayList<>(from);
    while (!work.isEmpty()) {
      State state = work.remove(work.size() - 1);
      if (!reached.add(state)) {
        continue;
      }
      if (state.done.contains(ending)) {
        Set<Operation> done = new HashSet<>(state.done);
        done.remove(ending);
        result.add(new State(state.live, done, state.puts, state.deletes));
        continue;
      }
      if (!state.live && state.puts < puts) {
        work.add(new State(true, state.done, state.puts + 1, state.deletes));
      }
      if (state.live && state.deletes < deletes) {
        work.add(new State(false, state.done, state.puts, state.deletes + 1));
      }
      for (Operation operation : open) {
        if (!state.done.contains(operation) && isPossible(operation, state.live)) {
          Set<Operation> done = new HashSet<>(state.done);
          done.add(operation);
          work.add(new State(liveAfter(operation, state.live), done, state.puts, state.deletes));
        }
      }
    }
    return result;
  }

  private static boolean isPossible(Operation operation, boolean live) {
    return switch (operation.kind) {
      case PUT -> live == (operation.end == End.UNCHANGED);
      case DELETE -> live == (operation.end == End.CHANGED);
      case READ -> live == (operation.end == End.PRESENT);
    };
  }

  private static boolean liveAfter(Operation operation, boolean live) {
    return switch (operation.kind) {
      case PUT -> true;
      case DELETE -> false;
      case READ -> live;
    };
  }
}
