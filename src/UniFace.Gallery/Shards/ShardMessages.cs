using UniFace.Gallery.Index.Search;

namespace UniFace.Gallery.Shards;

/// <summary>What a process of a sharded gallery is started with.</summary>
/// <param name="Path">The gallery file.</param>
/// <param name="Key">Its key; null if it is not encrypted.</param>
/// <param name="Range">The rows that the process holds.</param>
/// <param name="Threads">Threads of a search.</param>
internal sealed record ShardStart(string Path, byte[]? Key, IndexRange Range, int Threads);

/// <summary>A search.</summary>
/// <param name="Probes">L2-normalized embeddings, [probes, D].</param>
/// <param name="ContractId">Contract id of the model that computed them.</param>
/// <param name="People">How many people per probe.</param>
internal sealed record ShardRequest(ReadOnlyMemory<float> Probes, string ContractId, int People);

/// <summary>The answer to a search.</summary>
/// <param name="Hits">The best rows for each probe.</param>
/// <param name="Damage">What is wrong with templates that were skipped, by their ids.</param>
/// <param name="Error">Why there is no answer; null if there is one.</param>
/// <param name="IsStale">True if the gallery was replaced since the process opened it, so that the process must be started again.</param>
internal sealed record ShardAnswer(IndexHit[][] Hits, IReadOnlyDictionary<long, string> Damage, string? Error = null, bool IsStale = false);

/// <summary>
/// The messages between the processes of a sharded gallery, through the pipes of a child process: both ends are of the same program, on the same
/// machine.
/// </summary>
internal static class ShardMessages
{
    /// <summary>Writes a start.</summary>
    public static void Write(BinaryWriter to, ShardStart start)
    {
        to.Write(start.Path);
        to.Write(start.Key is not null);
        to.Write(start.Key ?? []);
        to.Write(start.Range.First);
        to.Write(start.Range.End);
        to.Write(start.Threads);
        to.Flush();
    }

    /// <summary>Reads a start.</summary>
    public static ShardStart ReadStart(BinaryReader from) => new(
        from.ReadString(), from.ReadBoolean() ? from.ReadBytes(GalleryKey.Size) : null, new IndexRange(from.ReadInt64(), from.ReadInt64()), from.ReadInt32());

    /// <summary>Writes a request.</summary>
    public static void Write(BinaryWriter to, ShardRequest request)
    {
        to.Write(request.ContractId);
        to.Write(request.People);
        to.Write(request.Probes.Length);
        to.Write(MemoryMarshal.AsBytes(request.Probes.Span));
        to.Flush();
    }

    /// <summary>Reads a request.</summary>
    public static ShardRequest ReadRequest(BinaryReader from)
    {
        string contractId = from.ReadString();
        int people = from.ReadInt32();
        float[] probes = new float[from.ReadInt32()];
        from.BaseStream.ReadExactly(MemoryMarshal.AsBytes(probes.AsSpan()));
        return new ShardRequest(probes, contractId, people);
    }

    /// <summary>Writes an answer.</summary>
    public static void Write(BinaryWriter to, ShardAnswer answer)
    {
        to.Write(answer.Error ?? "");
        to.Write(answer.IsStale);
        to.Write(answer.Damage.Count);
        foreach ((long id, string damage) in answer.Damage)
        {
            to.Write(id);
            to.Write(damage);
        }

        to.Write(answer.Hits.Length);
        foreach (IndexHit[] hits in answer.Hits)
        {
            to.Write(hits.Length);
            to.Write(MemoryMarshal.AsBytes(hits.AsSpan()));
        }

        to.Flush();
    }

    /// <summary>Reads an answer.</summary>
    public static ShardAnswer ReadAnswer(BinaryReader from)
    {
        string error = from.ReadString();
        bool stale = from.ReadBoolean();
        Dictionary<long, string> damage = [];
        for (int left = from.ReadInt32(); left > 0; left--)
        {
            damage[from.ReadInt64()] = from.ReadString();
        }

        IndexHit[][] hits = new IndexHit[from.ReadInt32()][];
        for (int i = 0; i < hits.Length; i++)
        {
            hits[i] = new IndexHit[from.ReadInt32()];
            from.BaseStream.ReadExactly(MemoryMarshal.AsBytes(hits[i].AsSpan()));
        }

        return new ShardAnswer(hits, damage, error.Length > 0 ? error : null, stale);
    }
}
