-- Whose requests wrk sends:  wrk --script keys.lua URL -- PATH AUTHORIZATION KEYS NUMBER SEED [ADDRESSES]
--   AUTHORIZATION  the header's value; %016d in it stands for the key's number
--   KEYS           hot: always the same · even: each of NUMBER alike · zipf: the n-th of NUMBER 1/n as often as the first ·
--                  new: one after the other, none twice
--   ADDRESSES      yes: the client's address goes with the key, in x-forwarded-for
local choices = {
  hot = function() return function() return 1 end end,
  even = function(number) return function() return math.random(number) end end,
  -- The inverse of the distribution function of a density 1/x on [1, NUMBER + 1).
  zipf = function(number)
    local log = math.log(number + 1)
    return function() return math.floor(math.exp(math.random() * log)) end
  end,
  new = function(_, seed)
    local last = seed * 100000000
    return function()
      last = last + 1
      return last
    end
  end,
}

local head, authorization, key, with_address

function init(arguments)
  math.randomseed(tonumber(arguments[5]))
  head = "GET " .. arguments[1] .. " HTTP/1.1\r\nhost: bench\r\nauthorization: "
  authorization = arguments[2]
  key = choices[arguments[3]](tonumber(arguments[4]), tonumber(arguments[5]))
  with_address = arguments[6] == "yes"
end

function request()
  local number = key()
  local text = head .. authorization:format(number)
  if with_address then
    local low = number % 16777216
    text = text .. "\r\nx-forwarded-for: 10." .. math.floor(low / 65536) .. "." .. math.floor(low / 256) % 256 .. "." .. low % 256
  end
  return text .. "\r\n\r\n"
end
