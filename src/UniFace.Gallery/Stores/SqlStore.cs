using System.Data.Common;

namespace UniFace.Gallery.Stores;

/// <summary>A template to insert.</summary>
internal readonly record struct NewTemplate(long Id, long Person, Enrollment Enrollment);

/// <summary>What a transaction prevents other processes from doing until it ends. A gallery file has one writer anyway.</summary>
internal enum GalleryLock
{
    /// <summary>Nothing.</summary>
    None,

    /// <summary>Moving the gallery to another model.</summary>
    Model,

    /// <summary>Every change.</summary>
    All,
}

/// <summary>
/// An open gallery in an SQL database: its tables, and how values are stored in them. Every database has the tables person, template and crop,
/// and, while the gallery moves to another model, a table of the new embeddings.
/// </summary>
internal abstract class SqlStore(GalleryInfo info)
{
    /// <summary>The gallery's properties; re-embedding changes them.</summary>
    public GalleryInfo Info { get; set; } = info;

    /// <summary>The database.</summary>
    public abstract SqlDatabase Database { get; }

    /// <summary>The store, for messages.</summary>
    public abstract string Path { get; }

    /// <summary>Damaged templates that searches skipped: what is wrong, by template id.</summary>
    public ConcurrentDictionary<long, string> Damage { get; } = [];

    /// <summary>Table of people.</summary>
    public string People => Table("person");

    /// <summary>Table of templates.</summary>
    public string Templates => Table("template");

    /// <summary>Table of crops.</summary>
    public string Crops => Table("crop");

    /// <summary>Table of new embeddings while the gallery moves to another model.</summary>
    public string Pending => Table("pending");

    /// <summary>Query for the id of the person whose <see cref="KeyColumn"/> is $1.</summary>
    public string FindPersonSql => $"SELECT id FROM {People} WHERE {Scope()}{KeyColumn} = $1";

    /// <summary>Columns of a person p: id, person (the id again) and name.</summary>
    public string PersonSql => $"p.id, p.id AS person, {NameSql} AS name";

    /// <summary>Column by which people are looked up; see <see cref="ToKey"/>.</summary>
    public abstract string KeyColumn { get; }

    /// <summary>SQL of a template's enrollment time; see <see cref="ToTime"/>.</summary>
    public abstract string EnrolledSql { get; }

    /// <summary>
    /// Condition that rows are of this gallery, with AND, for a table of many galleries: its indexes begin with the gallery and are used only with it.
    /// </summary>
    /// <param name="alias">Name of the table in the query, with a dot; empty for none.</param>
    public virtual string Scope(string alias = "") => "";

    /// <summary>Clause that locks the rows of a query until the transaction ends; empty in a database with one writer.</summary>
    public virtual string LockRowsSql => "";

    /// <summary>Statement that inserts the new embedding $2 of template $1; inserts nothing if the template is gone or has one.</summary>
    public abstract string InsertPendingSql { get; }

    /// <summary>A person's name as the value of <see cref="KeyColumn"/>; null if no person can have the name.</summary>
    public abstract object? ToKey(string person);

    /// <summary>A time as a value to compare with <see cref="EnrolledSql"/>.</summary>
    public abstract object ToTime(DateTimeOffset time);

    /// <summary>An embedding as it is stored.</summary>
    public abstract object SealEmbedding(long template, long person, ReadOnlyMemory<float> embedding);

    /// <summary>The embedding of a row of templates.</summary>
    public abstract float[] ReadEmbedding(DbDataReader row);

    /// <summary>The SHA-256 of a photo as it is stored; null for null.</summary>
    public byte[]? SealPhoto(long template, long person, string? sha256) =>
        sha256 is null ? null : Seal("photo", template, person, Convert.FromHexString(sha256));

    /// <summary>The column "photo" as lower-case hexadecimal text; null for NULL.</summary>
    public string? ReadPhoto(DbDataReader row) => ReadBytes(row, "photo") is byte[] hash ? Convert.ToHexStringLower(hash) : null;

    /// <summary>The column "name" or "source" of a row with an id and a person; null for NULL.</summary>
    public string? ReadText(DbDataReader row, string column) =>
        row[column] as string ?? (ReadBytes(row, column) is byte[] text ? Encoding.UTF8.GetString(text) : null);

    /// <summary>A column of bytes of a row with an id and a person; null for NULL.</summary>
    public byte[]? ReadBytes(DbDataReader row, string column) =>
        row[column] is byte[] stored ? Open(column, (long)row["id"], (long)row["person"], stored) : null;

    /// <summary>The column "time" of a row, from <see cref="EnrolledSql"/>.</summary>
    public static DateTimeOffset ReadTime(DbDataReader row) =>
        row["time"] is long seconds ? DateTimeOffset.FromUnixTimeSeconds(seconds) : (DateTime)row["time"];

    /// <summary>A record as it is stored: encrypted, if the gallery is.</summary>
    public virtual byte[] Seal(string kind, long id, long person, ReadOnlySpan<byte> record) => record.ToArray();

    /// <summary>The record that <see cref="Seal"/> stored.</summary>
    public virtual byte[] Open(string kind, long id, long person, byte[] stored) => stored;

    /// <summary>What is wrong with a row of templates; null if nothing is, or if the database checks it.</summary>
    public virtual string? FindFault(DbDataReader row) => null;

    /// <summary>Fails if another process moved the gallery to another model or replaced it since it was opened.</summary>
    public abstract Task EnsureModelAsync(SqlSession session, string contractId, GalleryLock locking = GalleryLock.None);

    /// <summary>Fails if another process replaced the gallery or changed its key since it was opened.</summary>
    public virtual Task EnsureSameGenerationAsync(SqlSession session) => Task.CompletedTask;

    /// <summary>Ids of people by name; enrolls those who are missing and locks all of them.</summary>
    public abstract Task<Dictionary<string, long>> AddPeopleAsync(SqlSession session, string[] names);

    /// <summary>Ids for new templates, ascending.</summary>
    public abstract Task<List<long>> NextIdsAsync(SqlSession session, int count);

    /// <summary>Inserts templates, with their crops if the gallery keeps them.</summary>
    public abstract Task InsertAsync(SqlSession session, IReadOnlyList<NewTemplate> templates);

    /// <summary>Deletes a person with all templates and crops.</summary>
    public abstract Task DeletePersonAsync(SqlSession session, long person);

    /// <summary>Prepares an empty <see cref="Pending"/>, unless a stopped move to the same model did.</summary>
    public abstract Task BeginMoveAsync(SqlSession session, GalleryModel model);

    /// <summary>Replaces all embeddings by the pending ones.</summary>
    public abstract Task MoveAsync(SqlSession session, GalleryInfo after);

    /// <summary>SQL of the name of a person p.</summary>
    protected abstract string NameSql { get; }

    /// <summary>Name of a table in SQL.</summary>
    protected abstract string Table(string name);
}
