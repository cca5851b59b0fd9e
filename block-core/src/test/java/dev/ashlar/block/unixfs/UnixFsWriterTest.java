package dev.ashlar.block.unixfs;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import dev.ashlar.block.Block;
import dev.ashlar.block.Cid;
import dev.ashlar.block.HashFunction;
import dev.ashlar.block.MalformedException;
import dev.ashlar.block.dag.BlockSource;
import dev.ashlar.block.dag.DagPath;
import dev.ashlar.block.dag.UnixFsReader;
import java.io.ByteArrayInputStream;
import java.io.ByteArrayOutputStream;
import java.io.IOException;
import java.nio.charset.StandardCharsets;
import java.util.Collections;
import java.util.HashMap;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.OptionalLong;
import java.util.TreeMap;
import org.junit.jupiter.api.Test;

/** Files and directories become the blocks that other implementations make of them. */
class UnixFsWriterTest {

  private final Map<Cid, Block> blocks = new HashMap<>();
  private final BlockSource source = cid -> Optional.ofNullable(blocks.get(cid.toV1()));

  private UnixFsWriter writer(UnixFsWriter.Profile profile) {
    return new UnixFsWriter(profile, block -> blocks.put(block.cid(), block));
  }

  /** The CIDs are those of the Kubo documentation. */
  @Test
  void whatKuboMakesHasKubosCids() throws IOException {
    UnixFsWriter writer = writer(UnixFsWriter.Profile.KUBO);

    assertThat(writer.file(stream("hello world\n")).cid())
        .hasToString("QmT78zSuBmuS4z925WZfrqQ1qHaJ56DQaTfyMUF7F8ff5o");
    assertThat(writer.file(stream("")).cid())
        .hasToString("QmbFMke1KXqnYyBBWxB74N4c5SBnJMVAiMNRcGu6x1AwQH");
    assertThat(writer.directory(Map.of()).cid())
        .hasToString("QmUNLLsPACCz1vLxQVkXqqLX5R1X345qqfHbsf67hvA3Nn");
  }

  @Test
  void aSmallFileWithRawLeavesIsOneRawBlock() throws IOException {
    UnixFsWriter.Written written =
        writer(UnixFsWriter.Profile.V1_2025).file(stream("hello world\n"));

    assertThat(written.cid())
        .hasToString("bafkreifjjcie6lypi6ny7amxnfftagclbuxndqonfipmb64f2km2devei4");
    assertThat(written.size()).isEqualTo(12);
  }

  @Test
  void filesOfEveryShapeReadBackAsTheyWere() throws IOException {
    UnixFsWriter.Profile small =
        new UnixFsWriter.Profile(
            1, true, 3, 4, HashFunction.SHA2_256, 1000, UnixFsWriter.Estimate.LINKS);
    for (int size = 0; size < 220; size++) {
      byte[] bytes = new byte[size];
      for (int i = 0; i < size; i++) {
        bytes[i] = (byte) (i * 7 + size);
      }
      blocks.clear();

      UnixFsWriter.Written written = writer(small).file(new ByteArrayInputStream(bytes));

      assertThat(written.size()).isEqualTo(size);
      assertThat(written.totalBytes())
          .isGreaterThanOrEqualTo(blocks.values().stream().mapToLong(Block::size).sum());
      assertThat(read(written.cid(), 0, Long.MAX_VALUE)).isEqualTo(bytes);
      int from = size / 3;
      int to = Math.min(size, from + 10);
      assertThat(read(written.cid(), from, to))
          .isEqualTo(java.util.Arrays.copyOfRange(bytes, from, to));
    }
  }

  @Test
  void aLargeDirectoryIsSpreadOverShardsAndEveryNameIsFound() throws IOException {
    UnixFsWriter writer = writer(UnixFsWriter.Profile.V1_2025);
    Map<String, UnixFsWriter.Written> entries = new TreeMap<>();
    for (int i = 0; i < 6000; i++) {
      entries.put("a name of some length, number " + i, writer.file(stream("file " + i)));
    }

    UnixFsWriter.Written directory = writer.directory(entries);

    Map<String, Cid> listed = new TreeMap<>();
    UnixFsReader.list(
        source, directory.cid(), entry -> listed.put(entry.name(), entry.cid()) == null);
    assertThat(listed.keySet()).isEqualTo(entries.keySet());
    entries.forEach(
        (name, entry) ->
            assertThat(DagPath.resolve(source, directory.cid(), List.of(name)).terminus())
                .isEqualTo(entry.cid()));
  }

  @Test
  void sizesThatNoFileHasAreNone() {
    List<Long> sizes = Collections.nCopies(1 << 19, 1L << 45);

    assertThatThrownBy(
            () ->
                new UnixFsNode(
                    UnixFsNode.Type.FILE, Optional.empty(), OptionalLong.empty(), sizes, 0, 0))
        .isInstanceOf(MalformedException.class);
  }

  @Test
  void anotherHashThanSha256HasNoVersion0() {
    assertThatThrownBy(
            () ->
                new UnixFsWriter.Profile(
                    0, false, 10, 10, HashFunction.BLAKE3, 10, UnixFsWriter.Estimate.LINKS))
        .isInstanceOf(MalformedException.class)
        .hasMessageContaining("version 0");
  }

  private byte[] read(Cid cid, long from, long to) throws IOException {
    ByteArrayOutputStream out = new ByteArrayOutputStream();
    UnixFsReader.copy(
        source,
        cid,
        from,
        to,
        part -> {
          byte[] bytes = new byte[part.remaining()];
          part.get(bytes);
          out.writeBytes(bytes);
        });
    return out.toByteArray();
  }

  private static ByteArrayInputStream stream(String text) {
    return new ByteArrayInputStream(text.getBytes(StandardCharsets.UTF_8));
  }
}
