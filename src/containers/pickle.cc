#include "containers/pickle.h"

#include <bit>
#include <charconv>
#include <span>
#include <unordered_map>

#include "base/error.h"

namespace limn {
namespace {

// The opcodes, by Python's own names (the module pickletools explains each).
enum class Opcode : unsigned char {
  mark = '(',
  stop = '.',
  pop = '0',
  pop_mark = '1',
  dup = '2',
  decimal_float = 'F',
  decimal_int = 'I',
  bin_int = 'J',
  bin_int1 = 'K',
  decimal_long = 'L',
  bin_int2 = 'M',
  none = 'N',
  bin_persid = 'Q',
  reduce = 'R',
  string = 'S',
  bin_string = 'T',
  short_bin_string = 'U',
  unicode = 'V',
  bin_unicode = 'X',
  append = 'a',
  build = 'b',
  global = 'c',
  dict = 'd',
  empty_dict = '}',
  appends = 'e',
  get = 'g',
  bin_get = 'h',
  inst = 'i',
  long_bin_get = 'j',
  list = 'l',
  empty_list = ']',
  put = 'p',
  bin_put = 'q',
  long_bin_put = 'r',
  set_item = 's',
  tuple = 't',
  empty_tuple = ')',
  set_items = 'u',
  bin_float = 'G',
  bin_bytes = 'B',
  short_bin_bytes = 'C',
  proto = 0x80,
  new_obj = 0x81,
  tuple1 = 0x85,
  tuple2 = 0x86,
  tuple3 = 0x87,
  new_true = 0x88,
  new_false = 0x89,
  long1 = 0x8a,
  long4 = 0x8b,
  short_bin_unicode = 0x8c,
  bin_unicode8 = 0x8d,
  bin_bytes8 = 0x8e,
  stack_global = 0x93,
  memoize = 0x94,
  frame = 0x95,
  byte_array8 = 0x96,
};

constexpr std::string_view kOrderedDict = "collections.OrderedDict";
constexpr std::string_view kDefaultDict = "collections.defaultdict";

// The machine that runs a pickle: a stack with marks, and a memo of values to be used again.
class Reader {
 public:
  Reader(FileBytes& file, std::uint64_t begin, const std::string& what,
         const CheckGlobal& check_global)
      : file_(file), what_(what), check_global_(check_global), begin_(begin), place_(begin) {}

  Pickle read() {
    while (!pickle_.root) step();
    pickle_.bytes = place_ - begin_;
    return std::move(pickle_);
  }

 private:
  template <typename... Args>
  [[noreturn]] void refuse(fmt::format_string<Args...> format, Args&&... args) const {
    fail(ErrorKind::file, "'{}': in its pickle '{}', byte {}: {}", file_.path(), what_,
         opcode_place_ - begin_, fmt::format(format, std::forward<Args>(args)...));
  }

  // ---- what the pickle's text gives ----

  void check_left(std::uint64_t bytes) const {
    const std::uint64_t left = file_.size() - place_;
    if (bytes <= left) return;
    refuse("{} byte(s) should follow, but there are {}; if the file was cut short, fetch it again",
           bytes, left);
  }

  // The result is valid until the next take.
  std::string_view take(std::uint64_t bytes) {
    check_left(bytes);
    taken_.resize(bytes);
    file_.read(place_, std::as_writable_bytes(std::span(taken_)));
    place_ += bytes;
    return taken_;
  }

  // Least significant byte first.
  std::uint64_t take_number(size_t bytes) {
    const std::string_view taken = take(bytes);
    std::uint64_t number = 0;
    for (size_t i = bytes; i-- > 0;) number = number << 8 | static_cast<unsigned char>(taken[i]);
    return number;
  }

  std::string_view take_line() {
    std::string line;
    while (place_ < file_.size() && line.size() <= kLongestPickleText) {
      const char next = take(1)[0];
      if (next == '\n') return taken_ = std::move(line);
      line += next;
    }
    refuse("a line should end, but it does not; if the file was cut short, fetch it again");
  }

  // A line with a whole number.
  std::int64_t take_decimal() {
    const std::string_view line = take_line();
    std::int64_t number = 0;
    const auto [after, error] = std::from_chars(line.data(), line.data() + line.size(), number);
    if (error != std::errc() || after != line.data() + line.size())
      refuse("'{}' should be a whole number", printable(line));
    return number;
  }

  // ---- the stack, the memo, the pool ----

  // Counts what takes memory and has no other bound.
  void spend(size_t count) {
    spent_ += count;
    if (spent_ > kMostPickleValues)
      refuse("it has more than {} values, which no weights need", kMostPickleValues);
  }

  template <typename T>
  PickleValue* make(T value) {
    spend(1);
    return &pickle_.pool.emplace_back(PickleValue{std::move(value)});
  }

  void push(PickleValue* value) {
    spend(1);
    stack_.push_back(value);
  }
  template <typename T>
  void push_new(T value) {
    push(make(std::move(value)));
  }

  // Where the part of the stack that instructions may take from begins: values before the last mark
  // are out of reach.
  size_t floor() const { return marks_.empty() ? 0 : marks_.back(); }

  PickleValue* top() {
    if (stack_.size() <= floor()) refuse("it takes a value, but there is none");
    return stack_.back();
  }
  PickleValue* pop() {
    PickleValue* value = top();
    stack_.pop_back();
    return value;
  }
  std::vector<PickleRef> pop_to(size_t begin) {
    std::vector<PickleRef> items(stack_.begin() + static_cast<std::ptrdiff_t>(begin), stack_.end());
    stack_.resize(begin);
    return items;
  }
  std::vector<PickleRef> pop_to_mark() {
    if (marks_.empty()) refuse("it goes back to a mark, but there is none");
    const size_t mark = marks_.back();
    marks_.pop_back();
    return pop_to(mark);
  }

  void put(std::uint64_t index) {
    spend(2);  // a table entry takes about as much
    memo_[index] = top();
  }
  void get(std::uint64_t index) {
    const auto found = memo_.find(index);
    if (found == memo_.end()) refuse("it recalls value {}, which was never stored", index);
    push(found->second);
  }

  template <typename T>
  T& part_of(PickleValue* value, std::string_view name) {
    T* part = std::get_if<T>(&value->value);
    if (!part) refuse("there should be a {}, but there is a different value", name);
    return *part;
  }

  // ---- what instructions do ----

  void append(const std::vector<PickleRef>& items) {
    std::vector<PickleRef>& list = part_of<PickleList>(top(), "list").items;
    list.insert(list.end(), items.begin(), items.end());
  }

  PickleDict dict_of(const std::vector<PickleRef>& items) {
    if (items.size() % 2 != 0) refuse("a key has no value");
    PickleDict dict;
    for (size_t i = 0; i < items.size(); i += 2) dict.items.emplace_back(items[i], items[i + 1]);
    return dict;
  }
  void set_items(const std::vector<PickleRef>& items) {
    const PickleDict added = dict_of(items);
    auto& dict = part_of<PickleDict>(top(), "dict").items;
    dict.insert(dict.end(), added.items.begin(), added.items.end());
  }

  void push_global(std::string name) {
    if (name != kOrderedDict && name != kDefaultDict) check_global_(name);
    push_new(PickleGlobal{std::move(name)});
  }
  void push_stack_global() {
    const std::string name = part_of<PickleText>(pop(), "name").text;
    const std::string module = part_of<PickleText>(pop(), "name").text;
    push_global(module + "." + name);
  }

  // An OrderedDict is made from nothing or, in Python 2, from a list of pairs.
  PickleDict ordered_dict(const PickleTuple& arguments) {
    PickleDict dict;
    if (arguments.items.empty()) return dict;
    const PickleList* pairs = arguments.items[0]->as<PickleList>();
    if (!pairs || arguments.items.size() != 1)
      refuse("an OrderedDict should be made from a list of pairs, but it is not");
    spend(2 * pairs->items.size());
    for (const PickleRef pair : pairs->items) {
      const PickleList* list = pair->as<PickleList>();
      const PickleTuple* tuple = pair->as<PickleTuple>();
      const std::vector<PickleRef>* items = list ? &list->items : tuple ? &tuple->items : nullptr;
      if (!items || items->size() != 2)
        refuse("an OrderedDict should be made from pairs, but one item is not a pair");
      dict.items.emplace_back((*items)[0], (*items)[1]);
    }
    return dict;
  }

  void call() {
    PickleValue* arguments = pop();
    const PickleTuple& tuple = part_of<PickleTuple>(arguments, "tuple of arguments");
    PickleValue* callable = pop();
    const std::string& function = part_of<PickleGlobal>(callable, "function").name;
    if (function == kOrderedDict) {
      push_new(ordered_dict(tuple));
    } else if (function == kDefaultDict) {  // its argument makes defaults; items follow
      push_new(PickleDict{});
    } else {
      push_new(PickleCall{callable, arguments});
    }
  }

  // The state that would be set on an object; for a dict it would be attributes, which weights do
  // not need.
  void build() {
    const PickleRef state = pop();
    PickleValue* object = top();
    if (PickleCall* call = std::get_if<PickleCall>(&object->value)) {
      call->state = state;
    } else if (!object->as<PickleDict>()) {
      refuse("it sets attributes of a value that has none");
    }
  }

  // An integer in two's complement.
  void push_long(std::string_view bytes) {
    if (bytes.size() > 8) return push_new(PickleLong{std::string(bytes)});
    std::uint64_t number = 0;
    const bool negative = !bytes.empty() && (bytes.back() & 0x80) != 0;
    for (size_t i = 8; i-- > 0;) {
      const unsigned char fill = negative ? 255 : 0;
      number = number << 8 | (i < bytes.size() ? static_cast<unsigned char>(bytes[i]) : fill);
    }
    push_new(static_cast<std::int64_t>(number));
  }

  void push_text(std::uint64_t bytes) {
    check_left(bytes);
    if (bytes > kLongestPickleText) {
      push_new(PickleBytes{place_, bytes});
      place_ += bytes;
      return;
    }
    spend(bytes / sizeof(PickleValue));
    push_new(PickleText{std::string(take(bytes))});
  }

  void push_decimal_int() {
    const std::uint64_t begin = place_;
    const std::string_view line = take_line();
    if (line == "00" || line == "01") return push_new(line == "01");  // a bool in protocol 0
    place_ = begin;
    push_new(take_decimal());
  }

  void push_decimal_long() {
    std::string_view line = take_line();
    if (line.ends_with('L')) line.remove_suffix(1);
    std::int64_t number = 0;
    const auto [after, error] = std::from_chars(line.data(), line.data() + line.size(), number);
    if (error == std::errc() && after == line.data() + line.size()) return push_new(number);
    if (line.empty() || line.find_first_not_of("0123456789", line[0] == '-') != line.npos)
      refuse("'{}' should be a whole number", printable(line));
    push_new(PickleLong{std::string(line)});
  }

  void push_decimal_float() {
    const std::string_view line = take_line();
    double number = 0;
    const auto [after, error] = std::from_chars(line.data(), line.data() + line.size(), number);
    if (error != std::errc() || after != line.data() + line.size())
      refuse("'{}' should be a number", printable(line));
    push_new(number);
  }

  // Most significant byte first, unlike all other numbers.
  void push_float() {
    std::uint64_t bits = 0;
    for (const char byte : take(8)) bits = bits << 8 | static_cast<unsigned char>(byte);
    push_new(std::bit_cast<double>(bits));
  }

  // In quotes; backslashes are left as they are, because no layer's name has one.
  void push_quoted() {
    const std::string_view line = take_line();
    const bool quoted =
        line.size() >= 2 && (line[0] == '\'' || line[0] == '"') && line.front() == line.back();
    if (!quoted) refuse("'{}' should be in quotes", printable(line));
    push_new(PickleText{std::string(line.substr(1, line.size() - 2))});
  }

  void push_tuple(size_t count) {
    if (stack_.size() - floor() < count) refuse("it takes {} values, but has fewer", count);
    push_new(PickleTuple{pop_to(stack_.size() - count)});
  }

  void stop() {
    PickleValue* root = pop();
    if (!stack_.empty() || !marks_.empty()) refuse("it ends with values left over");
    pickle_.root = root;
  }

  void take_protocol() {
    const std::uint64_t protocol = take_number(1);
    if (protocol > 5) refuse("its protocol should be one of 0 to 5, but it is {}", protocol);
  }

  [[noreturn]] void refuse_opcode(unsigned char opcode) {
    if (static_cast<Opcode>(opcode) == Opcode::inst) {
      const std::string module(take_line());
      const std::string name = module + "." + std::string(take_line());
      check_global_(name);
      refuse("it makes an object of '{}', which no weights need", printable(name));
    }
    refuse("it has the instruction {:#04x}{}, which no weights need", opcode,
           opcode >= 0x82 && opcode <= 0x84 ? " (a function by its number)" : "");
  }

  void step();

  FileBytes& file_;
  const std::string& what_;
  const CheckGlobal& check_global_;
  std::uint64_t begin_;
  std::uint64_t place_;
  std::uint64_t opcode_place_ = 0;
  std::string taken_;
  size_t spent_ = 0;
  std::vector<PickleValue*> stack_;
  std::vector<size_t> marks_;
  std::unordered_map<std::uint64_t, PickleValue*> memo_;
  Pickle pickle_;
};

// One instruction. (The instructions are a table and laid out as one.)
// clang-format off
void Reader::step() {
  opcode_place_ = place_;
  const auto opcode = static_cast<unsigned char>(take(1)[0]);
  switch (static_cast<Opcode>(opcode)) {
    case Opcode::proto: return take_protocol();
    case Opcode::frame: return void(take_number(8));  // what a reader may fetch at once
    case Opcode::stop: return stop();

    case Opcode::none: return push_new(PickleNone{});
    case Opcode::new_true: return push_new(true);
    case Opcode::new_false: return push_new(false);
    case Opcode::bin_int: return push_long(take(4));
    case Opcode::bin_int1: return push_new(static_cast<std::int64_t>(take_number(1)));
    case Opcode::bin_int2: return push_new(static_cast<std::int64_t>(take_number(2)));
    case Opcode::long1: return push_long(take(take_number(1)));
    case Opcode::long4: return push_long(take(take_number(4)));
    case Opcode::decimal_int: return push_decimal_int();
    case Opcode::decimal_long: return push_decimal_long();
    case Opcode::decimal_float: return push_decimal_float();
    case Opcode::bin_float: return push_float();

    case Opcode::short_bin_string:
    case Opcode::short_bin_bytes:
    case Opcode::short_bin_unicode: return push_text(take_number(1));
    case Opcode::bin_string:
    case Opcode::bin_bytes:
    case Opcode::bin_unicode: return push_text(take_number(4));
    case Opcode::bin_bytes8:
    case Opcode::byte_array8:
    case Opcode::bin_unicode8: return push_text(take_number(8));
    case Opcode::string: return push_quoted();
    case Opcode::unicode: return push_new(PickleText{std::string(take_line())});

    case Opcode::empty_tuple: return push_new(PickleTuple{});
    case Opcode::tuple1: return push_tuple(1);
    case Opcode::tuple2: return push_tuple(2);
    case Opcode::tuple3: return push_tuple(3);
    case Opcode::tuple: return push_new(PickleTuple{pop_to_mark()});
    case Opcode::empty_list: return push_new(PickleList{});
    case Opcode::list: return push_new(PickleList{pop_to_mark()});
    case Opcode::append: return append({pop()});
    case Opcode::appends: return append(pop_to_mark());
    case Opcode::empty_dict: return push_new(PickleDict{});
    case Opcode::dict: return push_new(dict_of(pop_to_mark()));
    case Opcode::set_item: {
      const PickleRef value = pop();
      const PickleRef key = pop();
      return set_items({key, value});
    }
    case Opcode::set_items: return set_items(pop_to_mark());

    case Opcode::mark: spend(1); return marks_.push_back(stack_.size());
    case Opcode::pop:
      // Python lets a mark be popped like a value.
      if (stack_.size() == floor() && !marks_.empty()) return marks_.pop_back();
      return void(pop());
    case Opcode::pop_mark: return void(pop_to_mark());
    case Opcode::dup: return push(top());
    case Opcode::put: return put(static_cast<std::uint64_t>(take_decimal()));
    case Opcode::bin_put: return put(take_number(1));
    case Opcode::long_bin_put: return put(take_number(4));
    case Opcode::memoize: return put(memo_.size());
    case Opcode::get: return get(static_cast<std::uint64_t>(take_decimal()));
    case Opcode::bin_get: return get(take_number(1));
    case Opcode::long_bin_get: return get(take_number(4));

    case Opcode::global: {
      const std::string module(take_line());
      return push_global(module + "." + std::string(take_line()));
    }
    case Opcode::stack_global: return push_stack_global();
    case Opcode::reduce:
    case Opcode::new_obj: return call();
    case Opcode::build: return build();
    case Opcode::bin_persid: return push_new(PicklePersistent{pop()});
    case Opcode::inst: break;
  }
  refuse_opcode(opcode);
}
// clang-format on

}  // namespace

Pickle read_pickle(FileBytes& file, std::uint64_t begin, const std::string& what,
                   const CheckGlobal& check_global) {
  return Reader(file, begin, what, check_global).read();
}

Pickle read_pickle(const std::string& path, const std::string& what, std::string_view text,
                   const CheckGlobal& check_global) {
  FileBytes bytes(path, std::as_bytes(std::span(text)));
  return read_pickle(bytes, 0, what, check_global);
}

}  // namespace limn
