package dev.ashlar.raft.driver;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import dev.ashlar.block.Block;
import dev.ashlar.block.MalformedException;
import dev.ashlar.block.Mutations;
import dev.ashlar.block.Seeds;
import dev.ashlar.block.TestBlocks;
import dev.ashlar.block.engine.LogPosition;
import dev.ashlar.block.engine.ManifestHead;
import dev.ashlar.block.engine.ManifestRow;
import dev.ashlar.block.engine.Outcome;
import dev.ashlar.block.root.GarbageBatch;
import dev.ashlar.block.root.RootChange;
import dev.ashlar.block.root.RootChanges;
import dev.ashlar.block.root.RootKey;
import dev.ashlar.block.root.RootRecord;
import dev.ashlar.raft.core.Entry;
import dev.ashlar.raft.core.EntryId;
import dev.ashlar.raft.core.MemberId;
import dev.ashlar.raft.core.Membership;
import dev.ashlar.raft.core.Message;
import dev.ashlar.raft.core.Payload;
import dev.ashlar.raft.replication.BlockCommand;
import dev.ashlar.raft.replication.MembershipCodec;
import dev.ashlar.raft.replication.WriteResult;
import java.io.IOException;
import java.io.InputStream;
import java.nio.ByteBuffer;
import java.nio.charset.StandardCharsets;
import java.util.ArrayList;
import java.util.HexFormat;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.Random;
import java.util.UUID;
import org.junit.jupiter.api.Test;

/** The bytes of every message are what messages.txt says they have been since version 1. */
class MessageCodecTest {

  private static final int RUNS = Integer.getInteger("ashlar.runs", 1) * 50_000;
  private static final MemberId MEMBER = new MemberId(new UUID(0x0123456789abcdefL, 2));
  private static final Block BLOCK = TestBlocks.numbered(1, 5);

  @Test
  void everyMessageHasTheBytesThatAreRecorded() throws IOException {
    StringBuilder actual = new StringBuilder();
    messages()
        .forEach(
            (name, message) ->
                actual
                    .append(name)
                    .append(' ')
                    .append(HexFormat.of().formatHex(bytes(message)))
                    .append('\n'));

    assertThat(actual.toString()).isEqualTo(recorded());
  }

  @Test
  void everyMessageComesBackAsItWas() {
    messages()
        .forEach(
            (name, message) ->
                assertThat(MessageCodec.decode(ByteBuffer.wrap(bytes(message))))
                    .as(name)
                    .isEqualTo(message));
  }

  @Test
  void everyMessageThatIsCutOffOrTooLongIsRefused() {
    for (PeerMessage message : messages().values()) {
      byte[] whole = bytes(message);
      for (int length = 0; length < whole.length; length++) {
        ByteBuffer cut = ByteBuffer.wrap(whole, 0, length);
        assertThatThrownBy(() -> MessageCodec.decode(cut)).isInstanceOf(MalformedException.class);
      }
      byte[] longer = java.util.Arrays.copyOf(whole, whole.length + 1);
      assertThatThrownBy(() -> MessageCodec.decode(ByteBuffer.wrap(longer)))
          .isInstanceOf(MalformedException.class);
    }
  }

  @Test
  void randomBytesAreAMessageOrAreRefusedByName() {
    long seed = Seeds.next();
    Mutations mutations =
        new Mutations(
            messages().values().stream().map(MessageCodecTest::bytes).toList(), new Random(seed));
    for (int i = 0; i < RUNS; i++) {
      byte[] bytes = mutations.next();
      try {
        assertThat(MessageCodec.decode(ByteBuffer.wrap(bytes))).isNotNull();
      } catch (MalformedException e) {
        assertThat(e).hasMessageContaining(" ");
      } catch (RuntimeException | Error e) {
        throw new AssertionError(
            "-Dashlar.seed=" + seed + ": " + HexFormat.of().formatHex(bytes), e);
      }
    }
  }

  @Test
  void aBlockWhoseBytesWereChangedOnTheWayIsRefused() {
    byte[] bytes = bytes(new PeerMessage.Forward(1, new BlockCommand.Put(BLOCK)));
    bytes[bytes.length - 1] ^= 1;

    assertThatThrownBy(() -> MessageCodec.decode(ByteBuffer.wrap(bytes)))
        .isInstanceOf(MalformedException.class)
        .hasMessageContaining("checksum");
  }

  private static byte[] bytes(PeerMessage message) {
    List<ByteBuffer> parts = MessageCodec.encode(message);
    int length = parts.stream().mapToInt(ByteBuffer::remaining).sum();
    ByteBuffer whole = ByteBuffer.allocate(length);
    parts.forEach(part -> whole.put(part.duplicate()));
    return whole.array();
  }

  private static String recorded() throws IOException {
    try (InputStream in = MessageCodecTest.class.getResourceAsStream("messages.txt")) {
      return new String(in.readAllBytes(), StandardCharsets.UTF_8);
    }
  }

  private static Map<String, PeerMessage> messages() {
    EntryId id = new EntryId(7, 3);
    Membership membership = Membership.of(Map.of(MEMBER, "127.0.0.1:8421"));
    List<Entry> entries = new ArrayList<>();
    entries.add(new Entry(new EntryId(8, 3), 6, new Payload.NoOp()));
    entries.add(command(9, new BlockCommand.Put(BLOCK)));
    entries.add(command(10, new BlockCommand.Touch(BLOCK.cid().multihash())));
    entries.add(command(11, new BlockCommand.Delete(BLOCK.cid().multihash())));
    int bytes = 6 + MembershipCodec.encode(membership).remaining();
    entries.add(new Entry(new EntryId(12, 3), bytes, new Payload.Configuration(membership)));
    Map<String, PeerMessage> all = new LinkedHashMap<>();
    protocol(all, "PreVote", new Message.PreVote(4, id, 9));
    protocol(all, "PreVoteResponse", new Message.PreVoteResponse(4, true, 9));
    protocol(all, "RequestVote", new Message.RequestVote(4, id, true));
    protocol(all, "VoteResponse", new Message.VoteResponse(4, true));
    protocol(all, "AppendEntries", new Message.AppendEntries(3, id, entries, 6));
    protocol(all, "AppendAccepted", new Message.AppendAccepted(3, 12));
    protocol(all, "AppendRejected", new Message.AppendRejected(3, 7, new EntryId(5, 2), 6));
    protocol(all, "Heartbeat", new Message.Heartbeat(3, 6, 77));
    protocol(all, "HeartbeatResponse", new Message.HeartbeatResponse(3, 77, 6));
    protocol(all, "ReadIndex", new Message.ReadIndex(3, 99));
    protocol(all, "ReadIndexResponse", new Message.ReadIndexResponse(3, 99, 6));
    protocol(all, "TimeoutNow", new Message.TimeoutNow(3));
    protocol(all, "InstallSnapshot", new Message.InstallSnapshot(3, id));
    protocol(all, "LogRegressed", new Message.LogRegressed(3, 12));
    all.put("Announce", new PeerMessage.Announce(true));
    all.put("Forward", new PeerMessage.Forward(5, new BlockCommand.Put(BLOCK)));
    RootKey key = RootKey.reference("a");
    RootChange set = RootChange.set(key, 7, new byte[] {1, 2});
    RootChange remove = RootChange.remove(RootKey.pin(BLOCK.cid()), RootChange.ANY);
    all.put(
        "ForwardRoots",
        new PeerMessage.Forward(5, new BlockCommand.Roots(new RootChanges(List.of(set, remove)))));
    all.put(
        "ForwardCollect",
        new PeerMessage.Forward(
            5, new BlockCommand.Collect(new GarbageBatch(9, 4, List.of(BLOCK.cid().multihash())))));
    all.put(
        "RootsRequest", new PeerMessage.RootsRequest(6, new LogPosition(7, 3), Optional.of(key)));
    all.put(
        "RootsPage",
        new PeerMessage.RootsPage(
            6, 2, 4, List.of(new RootRecord(key, ByteBuffer.wrap(new byte[] {1, 2}), 4)), true));
    all.put(
        "ForwardedConflict",
        new PeerMessage.Forwarded(5, new WriteResult.Done(Outcome.CONFLICT, 9)));
    all.put(
        "ForwardedUnsupported",
        new PeerMessage.Forwarded(5, new WriteResult.NotDone(WriteResult.Reason.UNSUPPORTED)));
    all.put(
        "ForwardAdd",
        new PeerMessage.ForwardAdmin(5, new AdminCommand.Add(MEMBER, "127.0.0.1:8421", true)));
    all.put("ForwardRemove", new PeerMessage.ForwardAdmin(5, new AdminCommand.Remove(MEMBER)));
    all.put("ForwardTransfer", new PeerMessage.ForwardAdmin(5, new AdminCommand.Transfer(MEMBER)));
    all.put(
        "ForwardedDone", new PeerMessage.Forwarded(5, new WriteResult.Done(Outcome.CREATED, 9)));
    all.put(
        "ForwardedNotDone",
        new PeerMessage.Forwarded(5, new WriteResult.NotDone(WriteResult.Reason.BUSY)));
    all.put("ForwardedUnknown", new PeerMessage.Forwarded(5, new WriteResult.Unknown()));
    all.put(
        "ManifestRequest",
        new PeerMessage.ManifestRequest(
            6, Optional.of(new LogPosition(7, 3)), Optional.of(BLOCK.cid().multihash())));
    ManifestHead head =
        new ManifestHead(new LogPosition(7, 3), ByteBuffer.wrap(new byte[] {1, 2}), 1, 5, 0, 0);
    all.put(
        "ManifestPage",
        new PeerMessage.ManifestPage(
            6,
            Optional.of(head),
            List.of(new ManifestRow(BLOCK.cid().multihash(), 5, 0x55, 4)),
            true));
    all.put("ManifestNotYet", new PeerMessage.ManifestPage(6, Optional.empty(), List.of(), false));
    all.put("BlocksRequest", new PeerMessage.BlocksRequest(6, List.of(BLOCK.cid())));
    all.put("Blocks", new PeerMessage.Blocks(6, List.of(BLOCK)));
    all.put("CopyRequest", new PeerMessage.CopyRequest(6, BLOCK.cid().multihash()));
    all.put("Copy", new PeerMessage.Copy(6, Optional.of(BLOCK), 9));
    all.put("CopyNone", new PeerMessage.Copy(6, Optional.empty(), 0));
    return all;
  }

  private static Entry command(long index, BlockCommand command) {
    return new Entry(new EntryId(index, 3), command.bytes(), new Payload.Command(command));
  }

  private static void protocol(Map<String, PeerMessage> all, String name, Message message) {
    all.put(name, new PeerMessage.Protocol(message));
  }
}
