//! Which methods of .NET objects do nothing but compute. Everything else is code that the text does not tell.

use super::parsed::Member;

/// Types whose static methods only compute, in lower case, without `System.`.
const TYPES: [&str; 33] = [
    "datetime",
    "datetimeoffset",
    "dateonly",
    "timeonly",
    "timespan",
    "math",
    "guid",
    "string",
    "char",
    "int",
    "int32",
    "int64",
    "long",
    "uint32",
    "uint64",
    "byte",
    "double",
    "single",
    "float",
    "decimal",
    "bool",
    "boolean",
    "regex",
    "text.regularexpressions.regex",
    "convert",
    "version",
    "uri",
    "ipaddress",
    "net.ipaddress",
    "bigint",
    "hashtable",
    "array",
    "io.path",
];

/// Types that may be named besides: values that are turned into one stay values.
const PLAIN_TYPES: [&str; 36] = [
    "object",
    "psobject",
    "pscustomobject",
    "management.automation.psobject",
    "management.automation.pscustomobject",
    "ordered",
    "void",
    "switch",
    "switchparameter",
    "management.automation.switchparameter",
    "nullable",
    "int16",
    "uint16",
    "short",
    "ushort",
    "uint",
    "ulong",
    "sbyte",
    "half",
    "xml",
    "mailaddress",
    "net.mail.mailaddress",
    "securestring",
    "security.securestring",
    "globalization.cultureinfo",
    "cultureinfo",
    "globalization.numberstyles",
    "globalization.datetimestyles",
    "stringsplitoptions",
    "stringcomparison",
    "dayofweek",
    "datetimekind",
    "timezoneinfo",
    "text.encoding",
    "text.stringbuilder",
    "ref",
];

/// Attributes of parameters and functions that only check or describe.
const ATTRIBUTES: [&str; 15] = [
    "cmdletbinding",
    "parameter",
    "alias",
    "outputtype",
    "supportswildcards",
    "allownull",
    "allowemptystring",
    "allowemptycollection",
    "validateset",
    "validaterange",
    "validatelength",
    "validatepattern",
    "validatecount",
    "validatenotnull",
    "validatenotnullorempty",
];

/// Methods of a list or a table that the text itself has made, in lower case.
const OF_COLLECTIONS: [&str; 9] = [
    "add", "addrange", "clear", "insert", "remove", "removeat", "enqueue", "dequeue", "reverse",
];

/// Static methods of those types that run what they are given, or leave something on the disk.
const ACTING: [&str; 11] = [
    "sort",
    "create",
    "find",
    "findall",
    "findlast",
    "exists",
    "foreach",
    "convertall",
    "trueforall",
    "gettempfilename",
    "createinstance",
];

/// Instance methods that only compute, in lower case.
const METHODS: [&str; 54] = [
    "tostring",
    "toupper",
    "tolower",
    "toupperinvariant",
    "tolowerinvariant",
    "trim",
    "trimstart",
    "trimend",
    "split",
    "substring",
    "startswith",
    "endswith",
    "contains",
    "containskey",
    "containsvalue",
    "indexof",
    "lastindexof",
    "padleft",
    "padright",
    "equals",
    "compareto",
    "gettype",
    "gethashcode",
    "getenumerator",
    "tochararray",
    "adddays",
    "addhours",
    "addminutes",
    "addseconds",
    "addmonths",
    "addyears",
    "addmilliseconds",
    "subtract",
    "touniversaltime",
    "tolocaltime",
    "toshortdatestring",
    "tolongdatestring",
    "toshorttimestring",
    "tooadate",
    "tofiletime",
    "tofiletimeutc",
    "tounixtimeseconds",
    "isnullorempty",
    "getlength",
    "getupperbound",
    "toarray",
    "matches",
    "match",
    "ismatch",
    "getstring",
    "getbytes",
    "normalize",
    "join",
    "isdaylightsavingtime",
];

/// Instance methods that only compute on texts and lists, and do more on other things: a file can be replaced, and a block of
/// code be what something is replaced or sorted by.
const OF_TEXTS: [&str; 2] = ["replace", "sort"];

/// Properties that people ask for by name (`% Name`), in lower case.
const PROPERTIES: [&str; 26] = [
    "name",
    "id",
    "displayname",
    "count",
    "length",
    "mail",
    "userprincipalname",
    "primarysmtpaddress",
    "emailaddresses",
    "value",
    "values",
    "key",
    "keys",
    "fullname",
    "identity",
    "alias",
    "guid",
    "title",
    "url",
    "description",
    "members",
    "status",
    "state",
    "type",
    "objectid",
    "groupid",
];

/// Whether the call computes only.
pub(super) fn is_harmless(member: &Member, collections: &[String]) -> bool {
    let Some(name) = member.name.as_deref().map(str::to_lowercase) else {
        return false;
    };
    if member.is_static {
        let kind = member.on.to_lowercase();
        let kind = kind.trim_start_matches('[').trim_end_matches(']');
        let kind = kind.strip_prefix("system.").unwrap_or(kind);
        let is_collection = kind.starts_with("collections.") && name == "new";
        let takes_code = kind.ends_with("regex") && name == "replace" && !member.given_plain;
        let computes = TYPES.contains(&kind) && !ACTING.contains(&name.as_str()) && !takes_code;
        return computes || is_collection;
    }
    let name = name.as_str();
    let on = member.on.to_lowercase();
    // Each of them runs a block for every item, or calls a method by its name.
    (matches!(name, "where" | "foreach") && member.given_block)
        || METHODS.contains(&name)
        || (OF_TEXTS.contains(&name) && member.given_plain)
        || (OF_COLLECTIONS.contains(&name) && collections.contains(&on))
}

/// Whether values that are turned into the type, written in brackets, stay values; without brackets, whether the attribute of
/// this name only checks or describes.
pub(super) fn is_plain_type(written: &str) -> bool {
    let written = written.to_lowercase();
    let is_attribute = !written.starts_with('[');
    let mut names = written
        .split(|c: char| !(c.is_alphanumeric() || matches!(c, '.' | '_')))
        .filter(|name| !name.is_empty())
        .map(|name| name.strip_prefix("system.").unwrap_or(name));
    names.all(|name| {
        TYPES.contains(&name)
            || PLAIN_TYPES.contains(&name)
            || name.starts_with("collections.")
            || name.ends_with("exception")
            || (is_attribute
                && ATTRIBUTES.contains(&name.strip_suffix("attribute").unwrap_or(name)))
    })
}

/// Whether the property of a type that is not plain only tells something about this machine.
pub(super) fn is_plain_property(kind: &str, name: &str) -> bool {
    const NAMES: [&str; 6] = [
        "newline",
        "machinename",
        "username",
        "processorcount",
        "osversion",
        "currentdirectory",
    ];
    let kind = kind.to_lowercase();
    matches!(kind.as_str(), "[environment]" | "[system.environment]")
        && NAMES.contains(&name.to_lowercase().as_str())
}

/// Whether `ForEach-Object NAME` reads a property, or calls a method that only computes.
pub(super) fn is_harmless_name(name: &str) -> bool {
    let name = name.to_lowercase();
    PROPERTIES.contains(&name.as_str()) || METHODS.contains(&name.as_str())
}
