using System.Buffers.Binary;
using System.Text;
using UniFace.Training.Checkpoints;
using UniFace.Training.Loop;
using UniFace.Training.Runs;

namespace UniFace.Training.Tests.Checkpoints;

/// <summary>A checkpoint is used whole, as it was written, in its own run, or not at all.</summary>
[Collection(SerialCollection.Name)]
public sealed class CheckpointTests : IDisposable
{
    private static readonly TrainOptions Options = Toy.Options with { Ema = 0.9 };
    private readonly string folder = Directory.CreateTempSubdirectory("uniface-checkpoint-").FullName;

    private string Last => Path.Combine(folder, RunFolder.LastFile);

    public void Dispose() => Directory.Delete(folder, recursive: true);

    [Fact]
    public void A_file_with_any_flipped_bit_is_refused_before_a_tensor_is_read()
    {
        Train();
        byte[] good = File.ReadAllBytes(Last);
        int header = 8 + (int)BinaryPrimitives.ReadInt64LittleEndian(good);
        string path = Path.Combine(folder, "flipped.ckpt");
        for (int at = 0; at < good.Length; at += at < header ? 1 : 13)
        {
            byte[] bad = [.. good];
            bad[at] ^= (byte)(1 << (at % 8));
            File.WriteAllBytes(path, bad);
            UniFaceException e = Assert.Throws<UniFaceException>(() => Checkpoint.Open(path, ""));
            Assert.StartsWith(path, e.Message, StringComparison.Ordinal);
            Assert.DoesNotContain('\n', e.Message);
        }
    }

    [Theory]
    [InlineData("backbone.layers.fc1.weight")]
    [InlineData("head.centers.weight")]
    [InlineData("optimizer.momentum.backbone.layers.fc1.weight")]
    [InlineData("ema.layers.fc1.weight")]
    [InlineData("\"batch\":\"")]
    [InlineData("\"step\":\"")]
    public void Resuming_the_checkpoint_before_a_damaged_one_gives_the_same_bits(string section)
    {
        string expected = Train();
        byte[] bytes = File.ReadAllBytes(Last);
        int header = 8 + (int)BinaryPrimitives.ReadInt64LittleEndian(bytes);
        using (SafeTensorsFile file = SafeTensorsFile.Open(Last))
        {
            int at = file.Entries.TryGetValue(section, out SafeTensorsEntry? entry)
                ? header + (int)entry.Offset + 2
                : Encoding.Latin1.GetString(bytes).IndexOf(section, StringComparison.Ordinal) + section.Length;
            Assert.True(at > section.Length, $"no {section} among {string.Join(' ', file.Entries.Keys)}");
            bytes[at] ^= 1;
        }

        File.WriteAllBytes(Last, bytes);
        string message = Assert.Throws<UniFaceException>(() => Toy.Open(folder, Options).Dispose()).Message;
        Assert.Contains("last.ckpt is damaged", message, StringComparison.Ordinal);
        Assert.Contains("rename it to last.ckpt", message, StringComparison.Ordinal);

        File.Move(Path.Combine(folder, CheckpointStore.PreviousFile), Last, overwrite: true);
        Assert.Equal(expected, Train());
    }

    [Fact]
    public void A_checkpoint_of_another_run_is_refused()
    {
        using (TrainingState one = Toy.State(Options, 6, runId: "one"))
        {
            one.Save(Last, resumable: true);
            one.Load(Last);
        }

        foreach (string other in new[] { "two", "" })
        {
            using TrainingState state = Toy.State(Options, 6, runId: other);
            Assert.Contains("another run", Assert.Throws<UniFaceException>(() => state.Load(Last)).Message, StringComparison.Ordinal);
        }
    }

    /// <summary>Checkpoints of format 1 have no checksum and no run id: they are read in a run that has no id, and nowhere else.</summary>
    [Fact]
    public void Only_a_run_without_an_id_reads_a_checkpoint_without_checksum()
    {
        using TrainingState old = Toy.State(Options, 6);
        old.Save(Last, resumable: true);
        Replace("\"sha256\":", "\"unused\":");
        Assert.Contains("with its checksum", Assert.Throws<UniFaceException>(() => old.Load(Last)).Message, StringComparison.Ordinal);

        Replace("uniface-checkpoint-2", "uniface-checkpoint-1");
        old.Load(Last);
        using TrainingState young = Toy.State(Options, 6, runId: "one");
        Assert.Contains("another run", Assert.Throws<UniFaceException>(() => young.Load(Last)).Message, StringComparison.Ordinal);
    }

    [Fact]
    public void A_checkpoint_with_the_buffer_names_of_another_version_is_refused()
    {
        using TrainingState state = Toy.State(Options, 6);
        state.Save(Last, resumable: true);
        Replace("\"sha256\":", "\"unused\":");
        Replace("uniface-checkpoint-2", "uniface-checkpoint-1");
        Replace("head.centers.sampling", "head.centers.sampler1");
        Assert.EndsWith(
            "has no tensor 'head.centers.sampling'; it was written by another version or for another model.",
            Assert.Throws<UniFaceException>(() => state.Load(Last)).Message,
            StringComparison.Ordinal);
    }

    private void Replace(string written, string edited)
    {
        string bytes = Encoding.Latin1.GetString(File.ReadAllBytes(Last));
        Assert.Contains(written, bytes, StringComparison.Ordinal);
        File.WriteAllBytes(Last, Encoding.Latin1.GetBytes(bytes.Replace(written, edited, StringComparison.Ordinal)));
    }

    private string Train()
    {
        using Trainer trainer = Toy.Open(folder, Options);
        return trainer.Run(null, TestContext.Current.CancellationToken).Result!.Sha256;
    }
}
