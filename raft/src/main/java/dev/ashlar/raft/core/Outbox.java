package dev.ashlar.raft.core;

import java.util.ArrayList;
import java.util.List;
import java.util.Optional;

/** Gathers what the next {@link Ready} holds. */
final class Outbox {

  private long nextNumber = 1;
  private boolean hardStateChanged;
  private Optional<EntryId> install = Optional.empty();
  private long truncateFrom;
  private List<Entry> entries = new ArrayList<>();
  private List<Envelope> afterwards = new ArrayList<>();
  private List<Envelope> messages = new ArrayList<>();
  private List<Ready.Range> ranges = new ArrayList<>();
  private List<Ready.ConfirmedRead> reads = new ArrayList<>();
  private List<Ready.Accepted> accepted = new ArrayList<>();
  private List<Ready.Rejected> rejected = new ArrayList<>();
  private Optional<Ready.Install> needed = Optional.empty();
  private long applyTo;

  /** The number that the next write will have. */
  long nextNumber() {
    return nextNumber;
  }

  void hardStateChanged() {
    hardStateChanged = true;
  }

  void append(Entry entry) {
    entries.add(entry);
  }

  void truncateFrom(long index) {
    entries.removeIf(entry -> entry.id().index() >= index);
    afterwards.removeIf(envelope -> promises(envelope.message()) >= index);
    truncateFrom = truncateFrom == 0 ? index : Math.min(truncateFrom, index);
  }

  /** Up to where a message says that the log is durable, 0 where it says nothing of the log. */
  private static long promises(Message message) {
    if (message instanceof Message.AppendAccepted accepted) {
      return accepted.match();
    }
    return message instanceof Message.HeartbeatResponse response ? response.match() : 0;
  }

  /** Everything that was to be written to the log before is replaced. */
  void install(EntryId at) {
    install = Optional.of(at);
    truncateFrom = 0;
    entries = new ArrayList<>();
  }

  void send(MemberId to, Message message) {
    messages.add(new Envelope(to, message));
  }

  /** Sends once this and all earlier writes are durable. */
  void sendAfterWrite(MemberId to, Message message) {
    afterwards.add(new Envelope(to, message));
  }

  void replicate(Ready.Range range) {
    ranges.add(range);
  }

  void confirm(long token, long index) {
    reads.add(new Ready.ConfirmedRead(token, index));
  }

  void accept(long token, EntryId id) {
    accepted.add(new Ready.Accepted(token, id));
  }

  void reject(long token, Ready.Reason reason) {
    rejected.add(new Ready.Rejected(token, reason));
  }

  void needSnapshot(Ready.Install from) {
    needed = Optional.of(from);
  }

  void applyTo(long index) {
    applyTo = index;
  }

  Ready take(HardState hardState, Optional<Ready.Status> status) {
    Optional<Ready.Write> write = Optional.empty();
    boolean writes =
        hardStateChanged
            || install.isPresent()
            || truncateFrom != 0
            || !entries.isEmpty()
            || !afterwards.isEmpty();
    if (writes) {
      write =
          Optional.of(
              new Ready.Write(
                  nextNumber++,
                  install,
                  hardStateChanged ? Optional.of(hardState) : Optional.empty(),
                  truncateFrom,
                  entries,
                  afterwards));
    }
    Ready ready =
        new Ready(write, messages, ranges, applyTo, reads, accepted, rejected, status, needed);
    clear();
    return ready;
  }

  private void clear() {
    hardStateChanged = false;
    install = Optional.empty();
    truncateFrom = 0;
    entries = new ArrayList<>();
    afterwards = new ArrayList<>();
    messages = new ArrayList<>();
    ranges = new ArrayList<>();
    reads = new ArrayList<>();
    accepted = new ArrayList<>();
    rejected = new ArrayList<>();
    needed = Optional.empty();
    applyTo = 0;
  }
}
