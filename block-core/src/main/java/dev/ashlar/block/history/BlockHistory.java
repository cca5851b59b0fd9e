package dev.ashlar.block.history;

import java.util.ArrayList;
import java.util.HashMap;
import java.util.HashSet;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.Set;

/**
 * What clients of a block store asked for and were told, and whether there is an order of all of it
 * that explains it: linearizability (Herlihy and Wing, 1990). Blocks are independent of each other,
 * and one is there or not: so each is checked by itself, against a state of one bit, by keeping
 * every state that the past allows (Lowe, 2017).
 *
 * <p>Safe for any thread. It keeps every operation until it is gone itself.
 */
public final class BlockHistory {

  /** What a client asks for. */
  public enum Kind {
    PUT,
    DELETE,
    READ
  }

  /** How it ended. */
  public enum End {
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
  public static final class Operation {
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

  /**
   * A client asks, now.
   *
   * @param block any number that stands for the block
   */
  public synchronized Operation begin(int block, Kind kind) {
    Operation operation = new Operation(block, kind, clock++);
    operations.add(operation);
    return operation;
  }

  /**
   * The client was answered, now. One that never is has an unknown end.
   *
   * @param operation one that has not ended
   */
  public synchronized void end(Operation operation, End end) {
    operation.end = end;
    operation.ended = clock++;
  }

  /** How many operations have begun. */
  public synchronized int size() {
    return operations.size();
  }

  /**
   * Looks for what no order of the operations explains. Its time is that of the operations times
   * the states that those of unknown end leave open; the latter are few where blocks change.
   *
   * @return the first answer that cannot be, with all that was asked of its block
   */
  public synchronized Optional<String> contradiction() {
    Map<Integer, List<Operation>> byBlock = new HashMap<>();
    for (Operation operation : operations) {
      boolean says =
          operation.end != End.NOT_DONE
              && !(operation.kind == Kind.READ && operation.end == End.UNKNOWN);
      if (says) {
        byBlock.computeIfAbsent(operation.block, b -> new ArrayList<>()).add(operation);
      }
    }
    return byBlock.values().stream().flatMap(each -> contradiction(each).stream()).findFirst();
  }

  private static Optional<String> contradiction(List<Operation> history) {
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
      states = fewest(after(states, open, operation, unknownPuts, unknownDeletes));
      open.remove(operation);
      if (states.isEmpty()) {
        return Optional.of("nothing explains " + operation + " in " + history);
      }
    }
    return Optional.empty();
  }

  /** Without those that have used more of what is unknown than another one, and gained nothing. */
  private static Set<State> fewest(Set<State> states) {
    Set<State> kept = new HashSet<>();
    for (State state : states) {
      boolean beaten =
          states.stream()
              .anyMatch(
                  other ->
                      !other.equals(state)
                          && other.live == state.live
                          && other.puts <= state.puts
                          && other.deletes <= state.deletes
                          && other.done.equals(state.done));
      if (!beaten) {
        kept.add(state);
      }
    }
    return kept;
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
