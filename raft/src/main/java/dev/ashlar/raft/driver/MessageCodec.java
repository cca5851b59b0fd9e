package dev.ashlar.raft.driver;

import dev.ashlar.block.Block;
import dev.ashlar.block.Cid;
import dev.ashlar.block.MalformedException;
import dev.ashlar.block.Multihash;
import dev.ashlar.block.engine.LogPosition;
import dev.ashlar.block.engine.ManifestHead;
import dev.ashlar.block.engine.ManifestRow;
import dev.ashlar.block.engine.Outcome;
import dev.ashlar.block.root.RootKey;
import dev.ashlar.block.root.RootRecord;
import dev.ashlar.raft.core.Entry;
import dev.ashlar.raft.core.EntryId;
import dev.ashlar.raft.core.MemberId;
import dev.ashlar.raft.core.Message;
import dev.ashlar.raft.core.Payload;
import dev.ashlar.raft.replication.BlockCommand;
import dev.ashlar.raft.replication.CommandCodec;
import dev.ashlar.raft.replication.WriteResult;
import java.nio.BufferUnderflowException;
import java.nio.ByteBuffer;
import java.nio.charset.StandardCharsets;
import java.util.ArrayList;
import java.util.List;
import java.util.Optional;
import java.util.UUID;

/** The binary form of what members say to each other (docs/format.md, "Messages"). */
public final class MessageCodec {

  private static final int PRE_VOTE = 1;
  private static final int PRE_VOTE_RESPONSE = 2;
  private static final int REQUEST_VOTE = 3;
  private static final int VOTE_RESPONSE = 4;
  private static final int APPEND_ENTRIES = 5;
  private static final int APPEND_ACCEPTED = 6;
  private static final int APPEND_REJECTED = 7;
  private static final int HEARTBEAT = 8;
  private static final int HEARTBEAT_RESPONSE = 9;
  private static final int READ_INDEX = 10;
  private static final int READ_INDEX_RESPONSE = 11;
  private static final int TIMEOUT_NOW = 12;
  private static final int INSTALL_SNAPSHOT = 13;
  private static final int LOG_REGRESSED = 14;
  private static final int ANNOUNCE = 32;
  private static final int FORWARD = 33;
  private static final int FORWARD_ADMIN = 34;
  private static final int FORWARDED = 35;
  private static final int MANIFEST_REQUEST = 36;
  private static final int MANIFEST_PAGE = 37;
  private static final int BLOCKS_REQUEST = 38;
  private static final int BLOCKS = 39;
  private static final int COPY_REQUEST = 40;
  private static final int COPY = 41;
  private static final int ROOTS_REQUEST = 42;
  private static final int ROOTS_PAGE = 43;

  private static final int ADD_VOTER = 1;
  private static final int ADD_LEARNER = 2;
  private static final int REMOVE = 3;
  private static final int TRANSFER = 4;

  private static final int DONE = 1;
  private static final int NOT_DONE = 2;
  private static final int UNKNOWN = 3;

  private MessageCodec() {}

  /** The bytes of a message, block bytes as they lie. */
  public static List<ByteBuffer> encode(PeerMessage message) {
    WireWriter out = new WireWriter();
    if (message instanceof PeerMessage.Protocol protocol) {
      encode(out, protocol.message());
    } else if (message instanceof PeerMessage.Announce announce) {
      out.put(ANNOUNCE).put(announce.lacksSpace() ? 1 : 0);
    } else if (message instanceof PeerMessage.Forward forward) {
      out.put(FORWARD).putLong(forward.id()).putParts(CommandCodec.encode(forward.command()));
    } else if (message instanceof PeerMessage.ForwardAdmin forward) {
      encode(out.put(FORWARD_ADMIN).putLong(forward.id()), forward.command());
    } else if (message instanceof PeerMessage.Forwarded answer) {
      encode(out.put(FORWARDED).putLong(answer.id()), answer.result());
    } else if (message instanceof PeerMessage.ManifestRequest request) {
      out.put(MANIFEST_REQUEST).putLong(request.id());
      out.put(request.at().isPresent() ? 1 : 0);
      request.at().ifPresent(at -> out.putLong(at.index()).putLong(at.term()));
      out.putBytes(request.after().map(Multihash::toBytes).orElse(new byte[0]));
    } else if (message instanceof PeerMessage.ManifestPage page) {
      encode(out, page);
    } else if (message instanceof PeerMessage.BlocksRequest request) {
      out.put(BLOCKS_REQUEST).putLong(request.id()).putInt(request.cids().size());
      request.cids().forEach(cid -> out.putLong(cid.codec()).putBytes(cid.multihash().toBytes()));
    } else if (message instanceof PeerMessage.RootsRequest request) {
      out.put(ROOTS_REQUEST)
          .putLong(request.id())
          .putLong(request.at().index())
          .putLong(request.at().term())
          .putBytes(request.after().map(RootKey::toBytes).orElse(new byte[0]));
    } else if (message instanceof PeerMessage.RootsPage page) {
      encode(out, page);
    } else if (message instanceof PeerMessage.CopyRequest request) {
      out.put(COPY_REQUEST).putLong(request.id()).putBytes(request.multihash().toBytes());
    } else if (message instanceof PeerMessage.Copy copy) {
      out.put(COPY).putLong(copy.id()).put(copy.block().isPresent() ? 1 : 0);
      copy.block()
          .ifPresent(
              block ->
                  out.putLong(copy.lastPut())
                      .putParts(CommandCodec.encode(new BlockCommand.Put(block))));
    } else if (message instanceof PeerMessage.Blocks answer) {
      out.put(BLOCKS).putLong(answer.id()).putInt(answer.blocks().size());
      answer
          .blocks()
          .forEach(block -> out.putParts(CommandCodec.encode(new BlockCommand.Put(block))));
    }
    return out.parts();
  }

  /**
   * The message of these bytes, all of them. Blocks in it stay in the buffer's memory.
   *
   * @throws MalformedException when there is none, or of a kind that is not known
   */
  public static PeerMessage decode(ByteBuffer bytes) {
    ByteBuffer in = bytes.slice();
    try {
      int kind = in.get();
      PeerMessage message =
          kind < ANNOUNCE
              ? new PeerMessage.Protocol(decodeProtocol(kind, in))
              : decodeOther(kind, in);
      if (in.hasRemaining()) {
        throw new MalformedException("bytes follow a message of kind " + kind, in.position());
      }
      return message;
    } catch (BufferUnderflowException e) {
      throw new MalformedException("a message is cut off", in.position());
    } catch (IllegalArgumentException e) {
      throw new MalformedException("a message is out of range: " + e.getMessage(), in.position());
    }
  }

  private static void encode(WireWriter out, Message message) {
    if (message instanceof Message.PreVote m) {
      head(out, PRE_VOTE, m).putLong(m.round());
      id(out, m.last());
    } else if (message instanceof Message.PreVoteResponse m) {
      head(out, PRE_VOTE_RESPONSE, m).putLong(m.round()).put(m.granted() ? 1 : 0);
    } else if (message instanceof Message.RequestVote m) {
      id(head(out, REQUEST_VOTE, m), m.last()).put(m.transfer() ? 1 : 0);
    } else if (message instanceof Message.VoteResponse m) {
      head(out, VOTE_RESPONSE, m).put(m.granted() ? 1 : 0);
    } else if (message instanceof Message.AppendEntries m) {
      id(head(out, APPEND_ENTRIES, m), m.previous()).putLong(m.commit()).putInt(m.entries().size());
      for (Entry entry : m.entries()) {
        out.putLong(entry.id().term()).putParts(CommandCodec.encode(entry.payload()));
      }
    } else if (message instanceof Message.AppendAccepted m) {
      head(out, APPEND_ACCEPTED, m).putLong(m.match());
    } else if (message instanceof Message.AppendRejected m) {
      id(head(out, APPEND_REJECTED, m).putLong(m.previous()), m.hint()).putLong(m.last());
    } else if (message instanceof Message.Heartbeat m) {
      head(out, HEARTBEAT, m).putLong(m.commit()).putLong(m.round());
    } else if (message instanceof Message.HeartbeatResponse m) {
      head(out, HEARTBEAT_RESPONSE, m).putLong(m.round()).putLong(m.match());
    } else if (message instanceof Message.ReadIndex m) {
      head(out, READ_INDEX, m).putLong(m.nonce());
    } else if (message instanceof Message.ReadIndexResponse m) {
      head(out, READ_INDEX_RESPONSE, m).putLong(m.nonce()).putLong(m.index());
    } else if (message instanceof Message.TimeoutNow m) {
      head(out, TIMEOUT_NOW, m);
    } else if (message instanceof Message.InstallSnapshot m) {
      id(head(out, INSTALL_SNAPSHOT, m), m.base());
    } else if (message instanceof Message.LogRegressed m) {
      head(out, LOG_REGRESSED, m).putLong(m.acknowledged());
    }
  }

  private static Message decodeProtocol(int kind, ByteBuffer in) {
    long term = in.getLong();
    return switch (kind) {
      case PRE_VOTE -> {
        long round = in.getLong();
        yield new Message.PreVote(term, id(in), round);
      }
      case PRE_VOTE_RESPONSE -> {
        long round = in.getLong();
        yield new Message.PreVoteResponse(term, flag(in), round);
      }
      case REQUEST_VOTE -> {
        EntryId last = id(in);
        yield new Message.RequestVote(term, last, flag(in));
      }
      case VOTE_RESPONSE -> new Message.VoteResponse(term, flag(in));
      case APPEND_ENTRIES -> appendEntries(term, in);
      case APPEND_ACCEPTED -> new Message.AppendAccepted(term, in.getLong());
      case APPEND_REJECTED -> {
        long previous = in.getLong();
        EntryId hint = id(in);
        yield new Message.AppendRejected(term, previous, hint, in.getLong());
      }
      case HEARTBEAT -> {
        long commit = in.getLong();
        yield new Message.Heartbeat(term, commit, in.getLong());
      }
      case HEARTBEAT_RESPONSE -> {
        long round = in.getLong();
        yield new Message.HeartbeatResponse(term, round, in.getLong());
      }
      case READ_INDEX -> new Message.ReadIndex(term, in.getLong());
      case READ_INDEX_RESPONSE -> {
        long nonce = in.getLong();
        yield new Message.ReadIndexResponse(term, nonce, in.getLong());
      }
      case TIMEOUT_NOW -> new Message.TimeoutNow(term);
      case INSTALL_SNAPSHOT -> new Message.InstallSnapshot(term, id(in));
      case LOG_REGRESSED -> new Message.LogRegressed(term, in.getLong());
      default -> throw new MalformedException("a message of kind " + kind + " is not known", 0);
    };
  }

  private static Message appendEntries(long term, ByteBuffer in) {
    EntryId previous = id(in);
    long commit = in.getLong();
    int count = count(in);
    List<Entry> entries = new ArrayList<>();
    for (int i = 1; i <= count; i++) {
      EntryId id = new EntryId(previous.index() + i, in.getLong());
      int start = in.position();
      Payload payload = CommandCodec.decode(in);
      int bytes =
          payload instanceof Payload.Command command
              ? ((BlockCommand) command.content()).bytes()
              : in.position() - start;
      entries.add(new Entry(id, bytes, payload));
    }
    return new Message.AppendEntries(term, previous, entries, commit);
  }

  private static PeerMessage decodeOther(int kind, ByteBuffer in) {
    if (kind == ANNOUNCE) {
      return new PeerMessage.Announce(flag(in));
    }
    long id = in.getLong();
    return switch (kind) {
      case FORWARD -> new PeerMessage.Forward(id, command(in));
      case FORWARD_ADMIN -> new PeerMessage.ForwardAdmin(id, admin(in));
      case FORWARDED -> new PeerMessage.Forwarded(id, result(in));
      case MANIFEST_REQUEST -> {
        Optional<LogPosition> at = flag(in) ? Optional.of(position(in)) : Optional.empty();
        byte[] after = bytes(in);
        yield new PeerMessage.ManifestRequest(
            id, at, after.length == 0 ? Optional.empty() : Optional.of(Multihash.decode(after)));
      }
      case MANIFEST_PAGE -> manifestPage(id, in);
      case BLOCKS_REQUEST -> {
        List<Cid> cids = new ArrayList<>();
        int count = count(in);
        for (int i = 0; i < count; i++) {
          long codec = in.getLong();
          cids.add(Cid.v1(codec, Multihash.decode(bytes(in))));
        }
        yield new PeerMessage.BlocksRequest(id, cids);
      }
      case BLOCKS -> {
        List<Block> blocks = new ArrayList<>();
        int count = count(in);
        for (int i = 0; i < count; i++) {
          blocks.add(block(in));
        }
        yield new PeerMessage.Blocks(id, blocks);
      }
      case ROOTS_REQUEST -> {
        LogPosition at = position(in);
        byte[] after = bytes(in);
        yield new PeerMessage.RootsRequest(
            id, at, after.length == 0 ? Optional.empty() : Optional.of(RootKey.decode(after)));
      }
      case ROOTS_PAGE -> rootsPage(id, in);
      case COPY_REQUEST -> new PeerMessage.CopyRequest(id, Multihash.decode(bytes(in)));
      case COPY -> {
        if (!flag(in)) {
          yield new PeerMessage.Copy(id, Optional.empty(), 0);
        }
        long lastPut = in.getLong();
        yield new PeerMessage.Copy(id, Optional.of(block(in)), lastPut);
      }
      default -> throw new MalformedException("a message of kind " + kind + " is not known", 0);
    };
  }

  private static Block block(ByteBuffer in) {
    if (!(command(in) instanceof BlockCommand.Put put)) {
      throw new MalformedException("an answer with something else than blocks", in.position());
    }
    return put.block();
  }

  private static void encode(WireWriter out, AdminCommand command) {
    int kind =
        command instanceof AdminCommand.Add add
            ? (add.voter() ? ADD_VOTER : ADD_LEARNER)
            : command instanceof AdminCommand.Remove ? REMOVE : TRANSFER;
    out.put(kind)
        .putLong(command.member().uuid().getMostSignificantBits())
        .putLong(command.member().uuid().getLeastSignificantBits());
    if (command instanceof AdminCommand.Add add) {
      out.putBytes(add.address().getBytes(StandardCharsets.UTF_8));
    }
  }

  private static AdminCommand admin(ByteBuffer in) {
    int kind = in.get();
    MemberId member = new MemberId(new UUID(in.getLong(), in.getLong()));
    return switch (kind) {
      case ADD_VOTER, ADD_LEARNER ->
          new AdminCommand.Add(
              member, new String(bytes(in), StandardCharsets.UTF_8), kind == ADD_VOTER);
      case REMOVE -> new AdminCommand.Remove(member);
      case TRANSFER -> new AdminCommand.Transfer(member);
      default -> throw new MalformedException("a request of kind " + kind + " is not known", 0);
    };
  }

  private static void encode(WireWriter out, WriteResult result) {
    if (result instanceof WriteResult.Done done) {
      out.put(DONE).put(done.outcome().code()).putLong(done.index());
    } else if (result instanceof WriteResult.NotDone notDone) {
      out.put(NOT_DONE).put(notDone.reason().code());
    } else {
      out.put(UNKNOWN);
    }
  }

  private static WriteResult result(ByteBuffer in) {
    int kind = in.get();
    if (kind == DONE) {
      int code = in.get();
      Outcome outcome =
          Outcome.of(code)
              .orElseThrow(() -> new MalformedException("an outcome " + code + " is not known", 0));
      return new WriteResult.Done(outcome, in.getLong());
    }
    if (kind == NOT_DONE) {
      int code = in.get();
      for (WriteResult.Reason reason : WriteResult.Reason.values()) {
        if (reason.code() == code) {
          return new WriteResult.NotDone(reason);
        }
      }
      throw new MalformedException("a reason " + code + " is not known", 0);
    }
    if (kind == UNKNOWN) {
      return new WriteResult.Unknown();
    }
    throw new MalformedException("a result of kind " + kind + " is not known", 0);
  }

  private static void encode(WireWriter out, PeerMessage.ManifestPage page) {
    out.put(MANIFEST_PAGE).putLong(page.id()).put(page.head().isPresent() ? 1 : 0);
    if (page.head().isEmpty()) {
      return;
    }
    ManifestHead head = page.head().get();
    byte[] configuration = new byte[head.configuration().remaining()];
    head.configuration().duplicate().get(configuration);
    out.putLong(head.at().index())
        .putLong(head.at().term())
        .putBytes(configuration)
        .putLong(head.blocks())
        .putLong(head.bytes())
        .put(page.isLast() ? 1 : 0)
        .putInt(page.rows().size());
    for (ManifestRow row : page.rows()) {
      out.putInt(row.length())
          .putLong(row.codec())
          .putLong(row.lastPut())
          .putBytes(row.multihash().toBytes());
    }
  }

  private static PeerMessage manifestPage(long id, ByteBuffer in) {
    if (!flag(in)) {
      return new PeerMessage.ManifestPage(id, Optional.empty(), List.of(), false);
    }
    LogPosition at = position(in);
    ByteBuffer configuration = ByteBuffer.wrap(bytes(in));
    ManifestHead head = new ManifestHead(at, configuration, in.getLong(), in.getLong(), 0, 0);
    boolean isLast = flag(in);
    int count = count(in);
    List<ManifestRow> rows = new ArrayList<>();
    for (int i = 0; i < count; i++) {
      int length = in.getInt();
      long codec = in.getLong();
      long lastPut = in.getLong();
      rows.add(new ManifestRow(Multihash.decode(bytes(in)), length, codec, lastPut));
    }
    return new PeerMessage.ManifestPage(id, Optional.of(head), rows, isLast);
  }

  private static void encode(WireWriter out, PeerMessage.RootsPage page) {
    out.put(ROOTS_PAGE)
        .putLong(page.id())
        .putLong(page.count())
        .putLong(page.rootSetAt())
        .put(page.isLast() ? 1 : 0)
        .putInt(page.records().size());
    for (RootRecord root : page.records()) {
      byte[] value = new byte[root.value().remaining()];
      root.value().duplicate().get(value);
      out.putBytes(root.key().toBytes()).putLong(root.changedAt()).putBytes(value);
    }
  }

  private static PeerMessage rootsPage(long id, ByteBuffer in) {
    long count = in.getLong();
    long rootSetAt = in.getLong();
    boolean isLast = flag(in);
    int here = count(in);
    List<RootRecord> records = new ArrayList<>();
    for (int i = 0; i < here; i++) {
      RootKey key = RootKey.decode(bytes(in));
      long changedAt = in.getLong();
      records.add(new RootRecord(key, ByteBuffer.wrap(bytes(in)), changedAt));
    }
    return new PeerMessage.RootsPage(id, count, rootSetAt, records, isLast);
  }

  private static WireWriter head(WireWriter out, int kind, Message message) {
    return out.put(kind).putLong(message.term());
  }

  private static WireWriter id(WireWriter out, EntryId id) {
    return out.putLong(id.index()).putLong(id.term());
  }

  private static EntryId id(ByteBuffer in) {
    return new EntryId(in.getLong(), in.getLong());
  }

  private static LogPosition position(ByteBuffer in) {
    return new LogPosition(in.getLong(), in.getLong());
  }

  private static BlockCommand command(ByteBuffer in) {
    if (CommandCodec.decode(in) instanceof Payload.Command command) {
      return (BlockCommand) command.content();
    }
    throw new MalformedException("something else than a write was forwarded", in.position());
  }

  private static boolean flag(ByteBuffer in) {
    int flag = in.get();
    if (flag != 0 && flag != 1) {
      throw new MalformedException("a flag is 0 or 1, not " + flag, in.position() - 1L);
    }
    return flag == 1;
  }

  /** A count of things that each take at least a byte. */
  private static int count(ByteBuffer in) {
    int count = in.getInt();
    if (count < 0 || count > in.remaining()) {
      throw new MalformedException("a count of " + count, in.position());
    }
    return count;
  }

  private static byte[] bytes(ByteBuffer in) {
    byte[] bytes = new byte[count(in)];
    in.get(bytes);
    return bytes;
  }
}
