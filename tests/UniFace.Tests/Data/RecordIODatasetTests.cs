using System.Buffers.Binary;
using System.Text;
using CsCheck;
using UniFace.Data;
using UniFace.TestSupport;

namespace UniFace.Tests.Data;

/// <summary>Payloads and labels are read as MXNet writes them; a damaged record or index is an error or a warning, never a crash.</summary>
public class RecordIODatasetTests
{
    private const uint Magic = 0xCED7230A;
    private const uint DraftMagic = 0x3ED7230A;

    [Fact]
    public void Payloads_that_contain_the_magic_anywhere_are_read_as_written() =>
        Gen.Select(
            Gen.Bool.Select(draft => draft ? DraftMagic : Magic),
            Gen.Select(Gen.Byte.Array[0, 40], Gen.Int[0, 44], Gen.Int[0, 3]).Array[1, 6]).Sample((magic, pictures) =>
        {
            byte[] word = new byte[4];
            BinaryPrimitives.WriteUInt32LittleEndian(word, magic);
            using TempFolder folder = new();
            RecordIOWriter writer = new(magic);
            List<byte[]> expected = [];
            foreach ((byte[] bytes, int at, int times) in pictures)
            {
                byte[] image = [.. bytes.Take(at), .. Enumerable.Repeat(word, times).SelectMany(w => w), .. bytes.Skip(at)];
                writer.AddImage(expected.Count + 1, image, expected.Count % 2);
                expected.Add(image);
            }

            using FaceDataset dataset = FaceDatasets.Open(writer.Save(folder.Root));
            Assert.Equal(expected, Enumerable.Range(0, expected.Count).Select(dataset.Read));
        }, iter: 300);

    [Fact]
    public void The_magic_inside_the_image_header_is_restored()
    {
        // A label whose bits are the magic would be no label, so the id carries it: key 0xCED7230A.
        using TempFolder folder = new();
        RecordIOWriter writer = new RecordIOWriter().AddImage(Magic, [1, 2, 3], 4).AddImage(5, [9], 7);
        using FaceDataset dataset = FaceDatasets.Open(writer.Save(folder.Root));
        Assert.Equal(["record 5", "record 3470205706"], dataset.Samples.Select(sample => sample.Name));
        Assert.Equal([1, 0], dataset.Samples.Select(sample => sample.Label));
        Assert.Equal([1, 2, 3], dataset.Read(1));
    }

    [Fact]
    public void Identity_records_are_skipped_if_record_0_announces_ranges()
    {
        foreach (bool last in new[] { false, true })
        {
            using TempFolder folder = new();
            RecordIOWriter writer = new();
            if (!last)
            {
                writer.AddRange(0, 4, 6);
            }

            writer.AddImage(1, [11], 0).AddImage(2, [22, 22], 1).AddImage(3, [33], 1).AddRange(4, 1, 2).AddRange(5, 2, 4);
            if (last)
            {
                writer.AddRange(0, 4, 6);
            }

            using FaceDataset dataset = FaceDatasets.Open(writer.Save(folder.Root, "2,112,112"));
            Assert.Equal(["record 1", "record 2", "record 3"], dataset.Samples.Select(sample => sample.Name));
            Assert.Equal([0, 1, 1], dataset.Samples.Select(sample => sample.Label));
            Assert.Equal(["0", "1"], dataset.People);
            Assert.Equal([22, 22], dataset.Read(1));
            Assert.Empty(dataset.Warnings);
        }
    }

    [Fact]
    public void The_first_of_two_labels_counts_and_record_0_with_an_image_is_a_sample()
    {
        using TempFolder folder = new();
        RecordIOWriter writer = new RecordIOWriter().AddImage(0, [5], 1, 1).AddImage(1, [6], 0, 1).AddImage(2, [7], 1);
        using FaceDataset dataset = FaceDatasets.Open(writer.Save(folder.Root, "2,112,112"));
        Assert.Equal([1, 0, 1], dataset.Samples.Select(sample => sample.Label));
        Assert.Equal([5], dataset.Read(0));
        Assert.Equal([7], dataset.Read(2));
    }

    [Fact]
    public void If_record_0_has_flag_0_every_key_is_an_image()
    {
        using TempFolder folder = new();
        RecordIOWriter writer = new RecordIOWriter().AddImage(0, [5], 0).AddImage(1, [6], 1);
        using FaceDataset dataset = FaceDatasets.Open(writer.Save(folder.Root, "2,112,112"));
        Assert.Equal(2, dataset.Samples.Count);
    }

    [Fact]
    public void Labels_with_gaps_are_renumbered_and_negative_ones_are_skipped()
    {
        using TempFolder folder = new();
        RecordIOWriter writer = new RecordIOWriter().AddImage(1, [1], 70).AddImage(2, [2], 9).AddImage(3, [3], -1).AddImage(4, [4], 70);
        using FaceDataset dataset = FaceDatasets.Open(writer.Save(folder.Root, "85742,112,112"));
        Assert.Equal(["9", "70"], dataset.People);
        Assert.Equal([1, 0, 1], dataset.Samples.Select(sample => sample.Label));
        Assert.Equal([4], dataset.Read(2));
        Assert.Contains(dataset.Warnings, warning => warning.Contains("1 record with a label below 0", StringComparison.Ordinal));
        Assert.Contains(dataset.Warnings, warning => warning.Contains("largest is 70", StringComparison.Ordinal));
        Assert.Contains(dataset.Warnings, warning => warning.Contains("announces 85742 people, the records hold 2", StringComparison.Ordinal));
    }

    [Theory]
    [InlineData(0.5f)]
    [InlineData(float.NaN)]
    [InlineData(float.PositiveInfinity)]
    [InlineData(16777218f)]
    public void A_label_that_is_not_an_exact_whole_number_is_an_error_that_names_the_record(float label)
    {
        using TempFolder folder = new();
        UniFaceException error = Assert.Throws<UniFaceException>(
            () => FaceDatasets.Open(new RecordIOWriter().AddImage(1, [1], 0).AddImage(2, [1], label).Save(folder.Root)));
        Assert.Contains("record 2 at offset 36", error.Message, StringComparison.Ordinal);
    }

    [Fact]
    public void A_missing_or_invalid_property_file_is_a_warning()
    {
        foreach (string? property in new[] { null, "", "two,112,112", "2" })
        {
            using TempFolder folder = new();
            using FaceDataset dataset = FaceDatasets.Open(new RecordIOWriter().AddImage(1, [1], 0).AddImage(2, [1], 1).Save(folder.Root, property));
            Assert.Contains("property", Assert.Single(dataset.Warnings), StringComparison.Ordinal);
        }
    }

    [Fact]
    public void An_incomplete_duplicate_or_foreign_index_is_refused()
    {
        using TempFolder folder = new();
        RecordIOWriter writer = new RecordIOWriter().AddRange(0, 3, 3).AddImage(1, [1, 2, 3, 4], 0).AddImage(2, [1], 1);
        string set = writer.Save(folder.Root);
        string[] lines = File.ReadAllLines(folder["train.idx"]);
        string Message(params string[] index)
        {
            File.WriteAllLines(folder["train.idx"], index);
            return Assert.Throws<UniFaceException>(() => FaceDatasets.Open(set)).Message;
        }

        Assert.Contains("names 1 of the 2 images", Message(lines[0], lines[1]), StringComparison.Ordinal);
        Assert.Contains("key 1 occurs twice", Message(lines[0], lines[1], lines[1], lines[2]), StringComparison.Ordinal);
        Assert.Contains("no record at offset 4", Message("1\t4"), StringComparison.Ordinal);
        Assert.Contains("points to offset 99999999", Message("1\t0", "2\t99999999"), StringComparison.Ordinal);
        Assert.Contains("line 2 is 'nonsense'", Message("1\t0", "nonsense"), StringComparison.Ordinal);
        Assert.Contains("is empty", Message(), StringComparison.Ordinal);
    }

    [Theory]
    [InlineData(Magic)]
    [InlineData(DraftMagic)]
    public void A_lost_index_is_rebuilt_from_the_records_with_one_warning(uint magic)
    {
        byte[] word = [(byte)magic, (byte)(magic >> 8), (byte)(magic >> 16), (byte)(magic >> 24)];
        using TempFolder folder = new();
        RecordIOWriter writer = new RecordIOWriter(magic).AddImage(
            1, [1, 2, 3, 4, .. word, 5], 0).AddImage(2, [7], 1).AddRange(3, 1, 2).AddImage(4, [8, .. word], 1).AddRange(0, 5, 6);
        string set = writer.Save(folder.Root, "2,112,112");
        File.Delete(folder["train.idx"]);

        // Key 3 lies below the first label of record 0, so it is a picture to the set; it belongs to person 1.
        using FaceDataset dataset = FaceDatasets.Open(set);
        Assert.Equal(["record 1", "record 2", "record 3", "record 4"], dataset.Samples.Select(sample => sample.Name));
        Assert.Equal([1, 2, 3, 4, .. word, 5], dataset.Read(0));
        Assert.Equal([8, .. word], dataset.Read(3));
        Assert.Contains("train.idx", Assert.Single(dataset.Warnings), StringComparison.Ordinal);
        Assert.False(File.Exists(folder["train.idx"]));
    }

    [Fact]
    public void A_rebuilt_index_numbers_images_in_file_order_if_ids_are_not_unique()
    {
        using TempFolder folder = new();
        RecordIOWriter writer = new RecordIOWriter().AddRange(0, 3, 3).AddImage(7, [1], 0).AddImage(7, [2], 1);
        folder.Write("train.rec", writer.Records);
        using FaceDataset dataset = FaceDatasets.Open(folder.Root);
        Assert.Equal(["record 1", "record 2"], dataset.Samples.Select(sample => sample.Name));
        Assert.Equal([2], dataset.Read(1));
    }

    [Theory]
    [InlineData(true)]
    [InlineData(false)]
    public void One_damaged_record_is_skipped_with_a_warning_and_many_are_an_error(bool withIndex)
    {
        using TempFolder folder = new();
        RecordIOWriter writer = new();
        List<int> starts = [];
        for (int i = 1; i <= 50; i++)
        {
            starts.Add(writer.Records.Length);
            writer.AddImage(i, [(byte)i, 2, 3, 4], i % 5);
        }

        foreach (int damaged in new[] { 0, 20, 49 })
        {
            Assert.Equal(49, Damage(damaged).Samples.Count);
            Assert.DoesNotContain($"record {damaged + 1}", Damage(damaged).Samples.Select(sample => sample.Name));
            string warning = Damage(damaged).Warnings.Single(w => w.Contains("damaged", StringComparison.Ordinal));
            Assert.Contains(
                $"1 damaged record is not used; the first: {folder["train.rec"]}: no record at offset {starts[damaged]}",
                warning,
                StringComparison.Ordinal);
        }

        Assert.Contains("no record at offset", Assert.Throws<UniFaceException>(() => Damage(10, 20, 30)).Message, StringComparison.Ordinal);

        FaceDataset Damage(params int[] which)
        {
            byte[] records = writer.Records;
            foreach (int record in which)
            {
                records[starts[record]] ^= 0xFF;
            }

            folder.Write("train.rec", records);
            if (withIndex)
            {
                folder.Write("train.idx", writer.Index);
            }

            using FaceDataset dataset = FaceDatasets.Open(folder.Root);
            return dataset;
        }
    }

    [Fact]
    public void A_folder_with_one_rec_file_is_the_set_and_one_with_several_is_refused()
    {
        using TempFolder folder = new();
        RecordIOWriter writer = new RecordIOWriter().AddImage(1, [1], 0).AddImage(2, [2], 1);
        folder.Write("faces.rec", writer.Records);
        folder.Write("faces.idx", writer.Index);
        using (FaceDataset dataset = FaceDatasets.Open(folder.Root))
        {
            Assert.Equal(2, dataset.Samples.Count);
        }

        folder.Write("more.rec", writer.Records);
        Assert.Contains(
            "2 .rec files and none is train.rec",
            Assert.Throws<UniFaceException>(() => FaceDatasets.Open(folder.Root)).Message,
            StringComparison.Ordinal);
    }

    [Fact]
    public void A_file_truncated_at_any_length_is_read_or_refused_and_never_crashes()
    {
        using TempFolder folder = new();
        byte[] word = [0x0A, 0x23, 0xD7, 0xCE];
        RecordIOWriter writer = new RecordIOWriter().AddImage(1, [1, 2, 3, 4, .. word, 5, 6], 0).AddRange(0, 3, 3).AddImage(2, [.. word, .. word], 1);
        string set = writer.Save(folder.Root);
        byte[] records = writer.Records;
        int errors = 0;
        for (int length = 0; length < records.Length; length++)
        {
            folder.Write("train.rec", records.AsSpan(0, length));
            try
            {
                using FaceDataset dataset = FaceDatasets.Open(set);
                dataset.Read(0);
                dataset.Read(1);
            }
            catch (UniFaceException)
            {
                errors++;
            }
        }

        Assert.Equal(records.Length, errors);
    }

    [Fact]
    public void Damaged_bytes_give_an_error_or_another_value_never_another_exception() =>
        Gen.Select(Gen.Int[0, 1000], Gen.Byte, Gen.Bool).Array[1, 4].Sample(changes =>
        {
            using TempFolder folder = new();
            RecordIOWriter writer = new RecordIOWriter().AddRange(0, 3, 3).AddImage(1, [1, 2, 3, 4, 0x0A, 0x23, 0xD7, 0xCE, 5], 0).AddImage(2, [7], 1, 0);
            byte[] records = writer.Records;
            byte[] index = writer.Index;
            foreach ((int at, byte value, bool inIndex) in changes)
            {
                byte[] target = inIndex ? index : records;
                target[at % target.Length] = value;
            }

            writer.Save(folder.Root);
            folder.Write("train.rec", records);
            folder.Write("train.idx", index);
            try
            {
                using FaceDataset dataset = FaceDatasets.Open(folder.Root);
                for (int i = 0; i < dataset.Samples.Count; i++)
                {
                    dataset.Read(i);
                }
            }
            catch (UniFaceException)
            {
                // Expected: the reader refuses a damaged file.
            }
        }, iter: 1500);

    [Fact]
    public void A_rec_file_opens_by_its_path_and_an_idx_file_is_refused_with_advice()
    {
        using TempFolder folder = new();
        RecordIOWriter writer = new RecordIOWriter().AddImage(1, [1], 0).AddImage(2, [2], 1);
        folder.Write("faces.rec", writer.Records);
        folder.Write("faces.idx", writer.Index);
        using FaceDataset dataset = FaceDatasets.Open(folder["faces.rec"]);
        Assert.Equal(2, dataset.Samples.Count);
        Assert.Contains("give the .rec file", Assert.Throws<UniFaceException>(() => FaceDatasets.Open(folder["faces.idx"])).Message, StringComparison.Ordinal);
        Assert.Equal("1\t0\n2\t36\n", Encoding.ASCII.GetString(writer.Index));
    }

    [Fact]
    public void Records_without_any_image_are_refused_with_and_without_an_index()
    {
        using TempFolder folder = new();
        RecordIOWriter twice = new RecordIOWriter().AddRange(1, 4, 4).AddRange(1, 4, 4);
        UniFaceException error = Assert.Throws<UniFaceException>(() => FaceDatasets.Open(folder.Write("lost.rec", twice.Records)));
        Assert.Contains("none of its 2 records holds an image", error.Message, StringComparison.Ordinal);
        string none = new RecordIOWriter().AddRange(0, 1, 1).Save(folder.Root, under: "none");
        Assert.Contains("contains no images", Assert.Throws<UniFaceException>(() => FaceDatasets.Open(none)).Message, StringComparison.Ordinal);
    }
}
