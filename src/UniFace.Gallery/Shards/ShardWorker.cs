using UniFace.Gallery.Index.Search;
using UniFace.Gallery.Sqlite;

namespace UniFace.Gallery.Shards;

/// <summary>The process that holds a range of a gallery's index: opens the gallery, and answers searches until its input ends.</summary>
internal static class ShardWorker
{
    /// <summary>The only argument of the program that runs as such a process.</summary>
    public const string Argument = "--gallery-shard";

    /// <summary>Answers searches until the input ends.</summary>
    public static async Task RunAsync(Stream input, Stream output)
    {
        // Ctrl-C goes to all processes of a terminal; this one ends with the process that it works for.
        using PosixSignalRegistration interrupts = PosixSignalRegistration.Create(PosixSignal.SIGINT, context => context.Cancel = true);
        using BinaryReader from = new(input);
        using BinaryWriter to = new(new BufferedStream(output));
        ShardStart start = ShardMessages.ReadStart(from);
        SqliteGallery? gallery = null;
        try
        {
            while (true)
            {
                ShardRequest request;
                try
                {
                    request = ShardMessages.ReadRequest(from);
                }
                catch (EndOfStreamException)
                {
                    return;
                }

                ShardAnswer answer;
                try
                {
                    gallery ??= await SqliteGallery.OpenRangeAsync(start.Path, GalleryKey.FromBytes(start.Key), start.Range).ConfigureAwait(false);
                    IndexHit[][] hits = await gallery.FindAsync(request.Probes, request.ContractId, request.People, start.Threads, CancellationToken.None)
                        .ConfigureAwait(false);
                    answer = new ShardAnswer(hits, gallery.DamageById);
                }
                catch (UniFaceException e)
                {
                    bool stale = e is GalleryChangedException || (gallery is not null && gallery.Info.ContractId != request.ContractId);
                    answer = new ShardAnswer([], new Dictionary<long, string>(), e.Message, stale);
                }

                ShardMessages.Write(to, answer);
            }
        }
        finally
        {
            if (gallery is not null)
            {
                await gallery.DisposeAsync().ConfigureAwait(false);
            }
        }
    }
}
